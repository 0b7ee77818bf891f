#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/amqp/msg.h"
#include "common/base/text.h"
#include "common/protocol/response.h"

/*
 * outcome - how a call of a process ends: with a result, or with an error of ours or of its worker;
 * and how the client is told (spec 3.8, 4.2; deploy/example/processes.md).
 *
 * Ownership: the struct owns its texts; a zeroed one is empty.
 */

enum outcome_kind {
    OUTCOME_RESULT = 'r', /* body: JSON */
    OUTCOME_ERROR = 'e',  /* ours, or a worker's that has no code: body: the reason */
    OUTCOME_OWN = 'x'     /* the worker's own error: body: what the client reads */
};

struct outcome {
    enum outcome_kind kind;
    struct text code, name; /* of an error: "-101", "Error Running Process" */
    struct text body;
};

void outcome_deinit(struct outcome *outcome);

/* An error of ours. */
void outcome_fail(struct outcome *outcome, enum response_code code, const char *reason);

/* What a worker has replied: the message's type and body. Whatever is no answer fails the call.
 * `most` bytes of it are taken. */
void outcome_read(struct outcome *outcome, const struct msg *reply, size_t most);

/* Is the body JSON, and no deeper than what clients send? If not, `problem` says why. */
bool outcome_is_json(const struct msg *reply, struct text *problem);

/* The response to a client; `process` is the name that an error shows. */
void outcome_add_response(struct text *out, const struct outcome *outcome, const char *process,
                          const struct response *head);
