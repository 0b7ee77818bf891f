#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/sync/host/connector.h"
#include "common/amqp/msg.h"
#include "common/base/cleanup.h"

/*
 * task - a call on its way through the host: from the message that brought it to the messages that
 * answer it (design section 13; deploy/example/processes.md has the contract).
 *
 * Ownership: owns a copy of the message, in which the call's strings lie. At each moment one thread
 * has it.
 */

struct executor;
struct process;

struct task {
    struct call call;          /* what a connector sees; it is always that of a task */
    uint64_t number;           /* by which the link's thread knows it */
    int64_t wall_deadline_ms;  /* the call's, since 1970 */
    const char *refusal;       /* not to be run at all: why; or NULL */
    struct executor *executor; /* that runs it; NULL before */
    struct text key;           /* the call's */
    struct msg *msg;
};

/* Of the delivery *m, borrowed; `process` is what it asks for, NULL if nothing is declared. */
struct task *task_create(const struct msg *m, const struct process *process, uint64_t number);
void task_destroy(struct task *task);

/* The task of a call that a connector has got. */
const struct task *task_of(const struct call *call);

/* The message that answers it, owned by the caller: the answer, unless it is no JSON or larger than
 * `most` bytes, which then is a failure. Nobody waits for it: NULL. */
struct msg *task_reply(const struct task *task, struct answer *answer, size_t most);

/* The message that tells how far it has got; NULL: nobody waits for it. `json` is checked. */
struct msg *task_progress(const struct task *task, struct json_span json);

DEFINE_CLEANUP(struct task *, task_destroy)
