#pragma once

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/process/settings.h"

/*
 * asking - a conversation of an operator's command with the agents, over RabbitMQ: one request at a
 * time, to the queue of an operation whose origin is the operator, and its answer. There is no
 * login: whoever may publish on the vhost is the operator. The store is known to the agents alone.
 *
 * What cannot be asked or is not answered is told on standard error, in words for the operator; the
 * command then ends with CTL_UNKNOWN.
 *
 * What happens to requests that nobody answers, and to those of lost connections:
 * common/amqp/asker.h.
 */

struct asking;

#define ASKING_WAIT_S 10 /* for an answer, unless --wait says otherwise */

/*
 * Connects to amqp.url of the configuration. `command` is the command's name, borrowed; `wait` is
 * what --wait says, in seconds: how long each answer is waited for, NULL for the default. False:
 * told.
 */
_must_check_ bool asking_open(const char *command, const char *config, const char *wait,
                              struct asking **out);

/* Those of the configuration, as long as `asking` lives. */
const struct settings *asking_settings(const struct asking *asking);
void asking_close(struct asking *asking);

/*
 * Asks, and waits. `body` is the request's members after its cn: `"classNames":["a"]`, or "".
 * *answer is the response, checked JSON, borrowed until the next question. False: told, and that is
 * also the case when the agent answers with a SyncErrorResponse.
 */
_must_check_ bool asking_ask(struct asking *asking, const char *operation, const char *body,
                             struct json_span *answer);

/* A number and a string among the members of an answer; 0 and "" where there is none. */
int64_t answer_number(struct json_span answer, const char *name);
void answer_text(struct json_span answer, const char *name, struct text *out);

DEFINE_CLEANUP(struct asking *, asking_close)
