#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"

static int64_t number(struct json_span of, const char *name)
{
    int64_t value = 0;

    return json_int64(json_member(of, name, NULL), &value) ? 0 : value;
}

static void read_text(struct json_span of, const char *name, struct text *out)
{
    if (json_decode(json_member(of, name, NULL), out))
        text_clear(out);
}

static bool is_yes(struct json_span of, const char *name)
{
    return json_is_true(json_member(of, name, NULL));
}

/* Where the session is, and what it watches. */
static bool print_session(struct json_span answer)
{
    _cleanup_(text_deinitp) struct text client = {0}, gateway = {0}, ended = {0};
    struct json_walk classes = json_walk(json_member(answer, "watchesClasses", NULL));
    bool watches = is_yes(answer, "watches");

    read_text(answer, "client", &client);
    read_text(answer, "gateway", &gateway);
    read_text(answer, "ended", &ended);
    if (ended.size)
        printf("The session has ended: %s.\n", ended.at);
    else if (gateway.size)
        printf("The session is connected as %s to %s.\n", text_str(&client), gateway.at);
    else
        printf("The session, last connected as %s, is not connected.\n", text_str(&client));
    if (watches)
        puts("It watches the object.");
    for (; json_next(&classes); watches = true)
        printf("It watches the class %.*s.\n", (int)classes.value.size, classes.value.at);
    if (!watches)
        puts("It does not watch the object, nor its class: it is told nothing.");
    return watches;
}

static void print_mark(struct json_span mark)
{
    _cleanup_(text_deinitp) struct text kind = {0};
    int64_t tries = number(mark, "tries"), due_ms = number(mark, "dueInMs");

    if (json_kind(mark) != JSON_OBJECT) {
        puts(
            "Nothing is pending: it has acknowledged the newest version, or read it, or wrote it.");
        return;
    }
    read_text(mark, "kind", &kind);
    printf("It must hear of %s, version %lld.\n",
           text_str(&kind)[0] == 'd' ? "the removal" : "a change",
           (long long)number(mark, "version"));
    if (is_yes(mark, "newestSent"))
        puts("That was sent to its present connection, and has not been acknowledged.");
    else if (tries)
        puts("Its present connection was sent something before that, and not this.");
    else
        puts("Its present connection has not been sent it.");
    if (due_ms > 0)
        printf("It is sent again in %lld ms, if the session is connected then.\n",
               (long long)due_ms);
    else
        puts("It is sent as soon as the session is connected.");
}

static void print_answer(struct json_span answer)
{
    _cleanup_(text_deinitp) struct text object = {0};

    read_text(answer, "object", &object);
    printf("%s %s version %lld.\n", text_str(&object),
           is_yes(answer, "removed") ? "was removed with" : "has",
           (long long)number(answer, "version"));
    if (!print_session(answer))
        return;
    if (!is_yes(answer, "mayRead") && !is_yes(answer, "removed"))
        puts("Its user may not read the object: it is told nothing.");
    print_mark(json_member(answer, "mark", NULL));
}

int ctl_why(const char *config, int argc, char **argv)
{
    static const struct option options[] = {{"wait", required_argument, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    static const char *const names[] = {"theClient", "theClassName", "theClassId"};
    _cleanup_(asking_closep) struct asking *asking = NULL;
    _cleanup_(text_deinitp) struct text question = {0};
    struct json_span answer;
    const char *wait = NULL;
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return CTL_UNKNOWN;
        wait = optarg;
    }
    if (argc - optind != 3) {
        fputs("usage: activestack-ctl why [--wait SECONDS] CLIENT CLASS ID\n", stderr);
        return CTL_UNKNOWN;
    }
    for (int i = 0; i < 3; i++) {
        text_addf(&question, "%s\"%s\":", i ? "," : "", names[i]);
        text_add_json_str(&question, argv[optind + i]);
    }
    if (!asking_open("why", config, wait, &asking) ||
        !asking_ask(asking, "inspectWatch", text_str(&question), &answer))
        return CTL_UNKNOWN;
    print_answer(answer);
    return CTL_YES;
}
