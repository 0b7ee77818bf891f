#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"

static void print_text(struct json_span client, const char *name, int width)
{
    _cleanup_(text_deinitp) struct text value = {0};

    if (json_decode(json_member(client, name, NULL), &value) || !value.size)
        text_add(&value, "-");
    printf("%-*s ", width, text_str(&value));
}

static void print_number(struct json_span client, const char *name, int width)
{
    int64_t value = 0;

    if (json_int64(json_member(client, name, NULL), &value))
        value = 0;
    printf("%*lld ", width, (long long)value);
}

static void print_time(struct json_span client, const char *name)
{
    int64_t ms = 0;
    char text[32] = "-";
    struct tm tm;
    time_t s;

    if (!json_int64(json_member(client, name, NULL), &ms) && ms > 0) {
        s = (time_t)(ms / 1000);
        if (gmtime_r(&s, &tm))
            strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    puts(text);
}

static void print_clients(struct json_span clients)
{
    for (struct json_walk w = json_walk(clients); json_next(&w);) {
        print_text(w.value, "client", 32);
        print_text(w.value, "user", 36);
        print_text(w.value, "gateway", 40);
        print_number(w.value, "watched", 7);
        print_number(w.value, "marks", 5);
        print_number(w.value, "openReplies", 7);
        print_time(w.value, "seen");
    }
}

int ctl_clients(const char *config, int argc, char **argv)
{
    static const struct option options[] = {{"wait", required_argument, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    _cleanup_(asking_closep) struct asking *asking = NULL;
    _cleanup_(text_deinitp) struct text question = {0};
    struct json_span answer, next;
    const char *wait = NULL;
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return CTL_UNKNOWN;
        wait = optarg;
    }
    if (optind < argc || !asking_open("clients", config, wait, &asking))
        return CTL_UNKNOWN;
    printf("%-32s %-36s %-40s watched marks replies bound or left\n", "client", "user", "gateway");
    do {
        if (!asking_ask(asking, "inspectClients", text_str(&question), &answer))
            return CTL_UNKNOWN;
        print_clients(json_member(answer, "clients", NULL));
        next = json_member(answer, "next", NULL);
        text_clear(&question);
        text_add(&question, "\"after\":");
        text_add_bytes(&question, next.at, next.size);
    } while (json_kind(next) == JSON_NUMBER);
    return CTL_YES;
}
