#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/plugins/activestack_plugin.h"

/*
 * trial - a plug-in for tests, which does as it is told: its arguments are one JSON string, a word
 * and perhaps a space and what goes with it.
 */

static char *copy_of(const char *text, size_t size)
{
    char *copy = malloc(size + 1);

    if (copy) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

/* ---- What it can be told; `rest` is without quotes ---- */

static char *echo(const struct activestack_call *call, const char *rest)
{
    (void)rest;
    return copy_of(call->arguments, strlen(call->arguments));
}

/* Who asks, under which name and id. */
static char *tell(const struct activestack_call *call, const char *rest)
{
    char *out = NULL;

    (void)rest;
    if (asprintf(&out, "{\"process\":\"%s\",\"user\":\"%s\",\"id\":\"%s\",\"deadline\":%lld}",
                 call->process, call->user, call->id, call->deadline_ms) < 0)
        return NULL;
    return out;
}

static char *rubbish(const struct activestack_call *call, const char *rest)
{
    (void)call;
    (void)rest;
    return copy_of("{]", 2);
}

static char *null(const struct activestack_call *call, const char *rest)
{
    (void)call;
    (void)rest;
    return NULL;
}

static char *fail(const struct activestack_call *call, const char *rest)
{
    call->fail(call, rest);
    return NULL;
}

static char *fail_in_latin(const struct activestack_call *call, const char *rest)
{
    (void)rest;
    call->fail(call, "na\xefve");
    return NULL;
}

static char *large(const struct activestack_call *call, const char *rest)
{
    const size_t size = (size_t)strtoul(rest, NULL, 10);
    char *out = malloc(size + 1);

    (void)call;
    if (!out)
        return NULL;
    memset(out, 'x', size);
    out[0] = out[size - 1] = '"';
    out[size] = '\0';
    return out;
}

static char *hang(const struct activestack_call *call, const char *rest)
{
    (void)call;
    (void)rest;
    while (pause())
        ;
    return NULL;
}

/* For as many ms, whatever the deadline. */
static char *sleep_for(const struct activestack_call *call, const char *rest)
{
    (void)call;
    usleep((useconds_t)strtoul(rest, NULL, 10) * 1000);
    return copy_of("\"slept\"", 7);
}

static char *until_cancelled(const struct activestack_call *call, const char *rest)
{
    (void)rest;
    while (!call->cancelled(call))
        usleep(1000);
    return copy_of("\"cancelled\"", 11);
}

static char *crash(const struct activestack_call *call, const char *rest)
{
    (void)call;
    (void)rest;
    abort();
    return NULL;
}

static char *progress(const struct activestack_call *call, const char *rest)
{
    (void)rest;
    if (call->progress(call, "no JSON") || !call->progress(call, "{\"done\":1}"))
        return NULL;
    return copy_of("2", 1);
}

/* The same, for as long as anybody waits. */
static char *report(const struct activestack_call *call, const char *rest)
{
    return call->progress(call, "{\"done\":1}") ? until_cancelled(call, rest) : NULL;
}

/* "operation members", and the answer as it is. */
static char *ask(const struct activestack_call *call, const char *rest)
{
    char operation[64] = "";
    size_t size = strcspn(rest, " ");
    const char *answer;

    if (size < sizeof(operation))
        memcpy(operation, rest, size);
    answer = call->ask(call, operation, rest[size] ? rest + size + 1 : "");
    return copy_of(answer, strlen(answer));
}

/* The same, and then there is time to kill the agent. */
static char *ask_slowly(const struct activestack_call *call, const char *rest)
{
    char *answer = ask(call, rest);

    usleep(1500 * 1000);
    return answer;
}

/* ---- The plug-in ---- */

static const struct {
    const char *word;
    char *(*run)(const struct activestack_call *call, const char *rest);
} words[] = {
    {"ask", ask},
    {"ask_slowly", ask_slowly},
    {"crash", crash},
    {"fail", fail},
    {"fail_in_latin", fail_in_latin},
    {"hang", hang},
    {"large", large},
    {"null", null},
    {"progress", progress},
    {"sleep", sleep_for},
    {"report", report},
    {"rubbish", rubbish},
    {"tell", tell},
    {"until_cancelled", until_cancelled},
};

static char *run(const struct activestack_call *call)
{
    size_t size = strlen(call->arguments), word;
    char *told = size > 1 ? copy_of(call->arguments + 1, size - 2) : NULL;
    char *result = NULL;

    if (!told || call->arguments[0] != '"') {
        free(told);
        return echo(call, "");
    }
    for (char *c = told; *c; c++) {
        if (*c == '\'') /* JSON within a string, without escapes */
            *c = '"';
    }
    word = strcspn(told, " ");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) == word && !strncmp(words[i].word, told, word))
            result = words[i].run(call, told[word] ? told + word + 1 : "");
    }
    free(told);
    return result;
}

#ifndef TRIAL_API
#define TRIAL_API ACTIVESTACK_PLUGIN_API
#endif
#ifndef TRIAL_SILENT
#define TRIAL_SILENT 0
#endif

const struct activestack_plugin *activestack_plugin(void)
{
    static const struct activestack_plugin plugin = {TRIAL_API, run};

    return TRIAL_SILENT ? NULL : &plugin;
}
