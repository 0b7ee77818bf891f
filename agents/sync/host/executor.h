#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agents/sync/host/task.h"

/*
 * executor - a thread that runs calls of one connector, one after the other.
 *
 * Threads:   belongs to the link's thread, but executor_tell() and executor_is_cancelled(), which
 *            are for whoever runs the call.
 * Ownership: a thread that does not come back cannot be ended. It is left alone with what it uses,
 *            and may come back after all.
 */

struct msgq;

/* What a call has led to, on its way to the link's thread. */
struct told {
    uint64_t number; /* the task's */
    bool last;       /* the answer: the task is no more */
    struct msg *msg; /* to be published; NULL: nobody waits for it */
};
void told_destroy(struct told *told);

struct executor_config {
    const struct connector *connector;
    void *own;         /* the connector's */
    struct msgq *told; /* of struct told; outlives the thread */
    size_t most_bytes; /* of an answer */
};

_must_check_ enum err executor_start(const struct executor_config *config, struct executor **out);

/* Runs a task. The last one has been told of. */
void executor_run_take(struct executor *executor, struct task **task);

/* Ends a thread that runs nothing. */
void executor_end(struct executor *executor);

/* Leaves a thread alone that does not come back; the executor stays until it is let go. */
void executor_give_up(struct executor *executor);

/* One that was given up. False: its thread still uses the connector, and what it tells. */
bool executor_let_go(struct executor *executor);

/* Of the call that it runs. A message that finds no room is lost. */
void executor_tell(const struct task *task, struct msg **msg);

/* Nobody waits for it any more: its time is up, or its thread was given up. */
bool executor_is_cancelled(const struct task *task);

DEFINE_CLEANUP(struct told *, told_destroy)
