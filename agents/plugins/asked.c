#include "agents/plugins/asked.h"

#include <string.h>

bool asked_fail(const struct activestack_call *call, const char *words)
{
    call->fail(call, words);
    return false;
}

void asked_add(struct text *out, struct json_span span)
{
    text_add_bytes(out, span.at, span.size);
}

bool asked_arguments(const struct activestack_call *call, struct json_span *arguments)
{
    *arguments = json_value(call->arguments, strlen(call->arguments));
    return json_kind(*arguments) == JSON_OBJECT ||
           asked_fail(call, "queryArguments: expected an object");
}

/* A refused write says its reason in `data`, other refusals are of a class of their own. */
static bool is_refused(const struct activestack_call *call, struct json_span answer)
{
    _cleanup_(text_deinitp) struct text words = {0};
    struct json_span data = json_member(answer, "data", NULL);

    if (!json_decode(json_member(answer, "errorDesc", NULL), &words))
        return !asked_fail(call, text_str(&words));
    if (json_kind(json_member(answer, "result", NULL)) != JSON_BOOLEAN ||
        json_is_true(json_member(answer, "result", NULL)))
        return false;
    if (json_decode(json_member(data, "message", NULL), &words))
        text_add(&words, "no right to write this");
    return !asked_fail(call, text_str(&words));
}

bool asked(const struct activestack_call *call, const char *operation, const struct text *members,
           struct json_span *answer)
{
    const char *response = call->ask(call, operation, text_str(members));

    *answer = json_value(response, strlen(response));
    return !is_refused(call, *answer);
}
