#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/options.h"

static void print_text(struct json_span client, const char *name, int width)
{
    _cleanup_(text_deinitp) struct text value = {0};

    answer_text(client, name, &value);
    printf("%-*s ", width, value.size ? value.at : "-");
}

static void print_time(struct json_span client, const char *name)
{
    const time_t seconds = (time_t)(answer_number(client, name) / 1000);
    char text[32] = "-";
    struct tm tm;

    if (gmtime_r(&seconds, &tm))
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    puts(text);
}

/* One line for each; `since`: when it was bound to its gateway, or when it lost the last one. */
static void print_clients(struct json_span clients)
{
    static const char *const numbers[] = {"objects", "classes", "marks", "openReplies"};

    for (struct json_walk w = json_walk(clients); json_next(&w);) {
        print_text(w.value, "client", 32);
        print_text(w.value, "user", 36);
        print_text(w.value, "gateway", 40);
        print_text(w.value, "address", 15);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
            printf("%7" PRId64 " ", answer_number(w.value, numbers[i]));
        print_time(w.value, "since");
    }
}

int ctl_clients(const char *config, int argc, char **argv)
{
    _cleanup_(asking_closep) struct asking *asking = NULL;
    _cleanup_(text_deinitp) struct text question = {0};
    const char *wait = NULL;
    const struct ctl_option options[] = {{"wait", &wait, NULL}, {NULL, NULL, NULL}};
    struct json_span answer, next;

    if (!options_read(argc, argv, options, 0, 0) || !asking_open("clients", config, wait, &asking))
        return CTL_UNKNOWN;
    do {
        if (!asking_ask(asking, "inspectClients", text_str(&question), &answer))
            return CTL_UNKNOWN;
        if (!question.size)
            printf("%-32s %-36s %-40s %-15s objects classes   marks replies since\n", "client",
                   "user", "gateway", "address");
        print_clients(json_member(answer, "clients", NULL));
        next = json_member(answer, "next", NULL);
        text_clear(&question);
        text_add(&question, "\"after\":");
        text_add_bytes(&question, next.at, next.size);
    } while (json_kind(next) == JSON_NUMBER);
    return CTL_YES;
}
