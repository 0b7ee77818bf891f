#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/options.h"

/* What is known of a client and an object, in sentences. A session is known by each client id that
 * it has had; what it has acknowledged is not remembered, only what it has not. */

static bool is_yes(struct json_span of, const char *name)
{
    return json_is_true(json_member(of, name, NULL));
}

static void print_object(struct json_span answer)
{
    _cleanup_(text_deinitp) struct text object = {0};

    answer_text(answer, "object", &object);
    printf("%s %s version %" PRId64 ".\n", text_str(&object),
           is_yes(answer, "removed") ? "was removed with" : "has",
           answer_number(answer, "version"));
}

/* Returns true when the session goes on. */
static bool print_session(struct json_span answer, const char *asked)
{
    _cleanup_(text_deinitp) struct text client = {0}, gateway = {0}, ended = {0};

    answer_text(answer, "client", &client);
    answer_text(answer, "gateway", &gateway);
    answer_text(answer, "ended", &ended);
    if (strcmp(text_str(&client), asked) != 0)
        printf("The session has another client id by now: %s.\n", text_str(&client));
    if (ended.size)
        printf("The session has ended: %s. It is told nothing.\n", ended.at);
    else if (gateway.size)
        printf("The session is connected to %s.\n", gateway.at);
    else
        puts("The session is not connected.");
    return !ended.size;
}

/* Returns true when the session watches the object, by itself or by a class. */
static bool print_watches(struct json_span answer)
{
    struct json_walk classes = json_walk(json_member(answer, "watchesClasses", NULL));
    bool watches = is_yes(answer, "watches");

    if (watches)
        puts("It watches the object.");
    if (is_yes(answer, "watchesChildren")) {
        puts("It watches the children of the object.");
        watches = true;
    }
    for (; json_next(&classes); watches = true)
        printf("It watches the class %.*s.\n", (int)classes.value.size, classes.value.at);
    if (!watches && is_yes(answer, "removed"))
        puts("It does not watch the object any more, if it ever did.");
    else if (!watches)
        puts("It watches neither the object nor a class of it: it is told of no change.");
    return watches;
}

static void print_sends(struct json_span mark)
{
    int64_t tries = answer_number(mark, "tries");

    if (is_yes(mark, "newestSent"))
        printf("It was sent that (sends to its latest connection: %" PRId64
               "), and has not acknowledged it.\n",
               tries);
    else if (tries)
        printf("It was sent something before that (sends to its latest connection: %" PRId64 ").\n",
               tries);
    else
        puts("It has not been sent that.");
}

static void print_next_send(struct json_span answer, struct json_span mark)
{
    _cleanup_(text_deinitp) struct text gateway = {0};
    int64_t due_ms = answer_number(mark, "dueInMs");

    answer_text(answer, "gateway", &gateway);
    if (!gateway.size)
        puts("It is sent that when it comes back.");
    else if (due_ms)
        printf("It is sent that in %" PRId64 " ms, unless it acknowledges it before.\n", due_ms);
    else
        puts("It is sent that now.");
    if (!is_yes(answer, "sendsReceipts"))
        puts("It has never acknowledged anything, so sends are repeated rarely.");
}

/* Changes of children have no version. */
static void print_mark(struct json_span answer, struct json_span mark, bool of_children)
{
    if (of_children && !is_yes(mark, "removal"))
        puts("It has to hear of a change of its children.");
    else
        printf("It has to hear of %s version %" PRId64 ".\n",
               is_yes(mark, "removal") ? "the removal," : "a change,",
               answer_number(mark, "version"));
    print_sends(mark);
    if (!is_yes(answer, "mayRead") && !is_yes(answer, "removed") && !is_yes(mark, "removal"))
        puts("Its user may not read the object now: it is sent that it has gone.");
    print_next_send(answer, mark);
}

static void print_no_mark(struct json_span answer, bool watches)
{
    if (is_yes(answer, "removed"))
        puts("Nothing is pending: if it has known the object, it has acknowledged the removal.");
    else if (!is_yes(answer, "mayRead"))
        puts("Its user may not read the object: it is told nothing.");
    else if (watches)
        puts("Nothing is pending: it has read, acknowledged or written the newest version.");
    if (is_yes(answer, "isBeingTold"))
        puts("A change of the object is just being told to those who watch it; ask again.");
}

static void print_answer(struct json_span answer, const char *asked)
{
    const struct json_span mark = json_member(answer, "mark", NULL);
    const struct json_span children = json_member(answer, "childrenMark", NULL);
    bool watches;

    print_object(answer);
    if (!print_session(answer, asked))
        return;
    watches = print_watches(answer);
    if (json_kind(mark) == JSON_OBJECT)
        print_mark(answer, mark, false);
    if (json_kind(children) == JSON_OBJECT)
        print_mark(answer, children, true);
    if (json_kind(mark) != JSON_OBJECT && json_kind(children) != JSON_OBJECT)
        print_no_mark(answer, watches);
}

int ctl_why(const char *config, int argc, char **argv)
{
    static const char *const names[] = {"theClient", "theClassName", "theClassId"};
    _cleanup_(asking_closep) struct asking *asking = NULL;
    _cleanup_(text_deinitp) struct text question = {0};
    const char *wait = NULL;
    const struct ctl_option options[] = {{"wait", &wait, NULL}, {NULL, NULL, NULL}};
    char **words = options_read(argc, argv, options, ARRAY_SIZE(names), ARRAY_SIZE(names));
    struct json_span answer;

    if (!words)
        return CTL_UNKNOWN;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        text_addf(&question, "%s\"%s\":", i ? "," : "", names[i]);
        text_add_json_str(&question, words[i]);
    }
    if (!asking_open("why", config, wait, &asking) ||
        !asking_ask(asking, "inspectWatch", text_str(&question), &answer))
        return CTL_UNKNOWN;
    print_answer(answer, words[0]);
    return CTL_YES;
}
