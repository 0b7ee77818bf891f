#pragma once

#include <stdbool.h>

#include "agents/plugins/activestack_plugin.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * asked - what the plug-ins of this folder share: arguments that are an object, questions to the
 * agents and their refusals. Spans are checked JSON.
 */

/* The call's arguments. False: they are no object; said to the client. */
bool asked_arguments(const struct activestack_call *call, struct json_span *arguments);

/* Asks; *answer is the response, good until the next question. False: refused; said to the client,
 * in the words of the refusal. */
bool asked(const struct activestack_call *call, const char *operation, const struct text *members,
           struct json_span *answer);

/* Says why the call fails; returns false. */
bool asked_fail(const struct activestack_call *call, const char *words);

/* Adds a span as it is. */
void asked_add(struct text *out, struct json_span span);
