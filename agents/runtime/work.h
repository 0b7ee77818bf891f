#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agents/runtime/request.h"
#include "common/amqp/amqp_link.h"
#include "common/amqp/msg.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/protocol/response.h"
#include "common/redis/redis_link.h"

/*
 * work - one thing that a worker is busy with: a request, a job, or a look for due work.
 *
 * It advances in steps. A step is a pure function (no input, no output): it looks at the reply of
 * the last call and says what is next. The worker does the input and output, for all of its works
 * together: calls go to Redis in one pipeline, messages are published in the order of the steps.
 *
 *     WORK_CALL      run work->call, then work->next with its reply
 *     WORK_PUBLISH   publish work->out, wait until the broker has told of each message, then
 *                    work->next (see work->sent[i].outcome)
 *     WORK_JOIN      wait until the requests that work_again() has started are done, then
 *                    work->next
 *     WORK_COUNT     ask the broker how many consumers work->counted has, then work->next with
 *                    work->consumers
 *     WORK_ASIDE     run work->aside in a thread beside the worker (aside.h), then work->next
 *     WORK_DONE      finished; a request is acknowledged to the broker now
 *
 * A request must publish its reply before it is done; only one of several calls may write.
 * A work that is dropped half-way (lost broker link, death of the process) is done again from its
 * beginning by whoever gets the request or claims the job: every call can be repeated.
 */

struct agent;
struct work;

enum work_step { WORK_CALL, WORK_PUBLISH, WORK_JOIN, WORK_COUNT, WORK_ASIDE, WORK_DONE };

/* One step. `work->call.reply` holds the reply after WORK_CALL. */
typedef enum work_step work_fn(struct work *work);

/* What may wait for others: runs in a thread beside the worker, and sees nothing of the work but
 * its state. `thread` is what the thread has for itself (struct agent_definition). */
typedef void aside_fn(void *state, void *thread);

struct work_out {
    struct msg *msg;
    enum amqp_outcome outcome; /* after WORK_PUBLISH */
    bool told;                 /* else the link was lost before the broker has told of it */
};

struct work {
    const struct agent *agent;
    struct request request; /* zero for other works */
    work_fn *next;          /* set by each step that is not the last */
    struct redis_call call;
    struct work_out *out; /* what WORK_PUBLISH will publish */
    size_t out_count;
    struct work_out *sent; /* what it has published, for the step after it */
    size_t sent_count;
    const char *counted; /* a queue's name; borrowed */
    int64_t consumers;   /* that it has; -1: there is no such queue */
    aside_fn *aside;
    bool refused; /* the request was answered with an error of the protocol */
    void *state;  /* the handler's own, freed by state_destroy */
    void (*state_destroy)(void *state);
    struct work_runner *runner; /* private to works.c */
};

/* ---- Steps of a request ---- */

/* Publishes `body` as the reply, then `after` (NULL: done). Without reply_to nothing is published.
 */
enum work_step work_reply(struct work *work, const struct text *body, work_fn *after);

/* The same, with the user and reason of `headers` beside the body. */
enum work_step work_reply_with(struct work *work, const struct text *body,
                               const struct msg *headers, work_fn *after);

/* Answers with an error as the client's protocol has it, and is done: a SyncErrorResponse, or an
 * error frame whose text is the code's title and `desc`. */
enum work_step work_error(struct work *work, enum response_code code, const char *desc);

/* Answers a client of the content protocol with a result and goes on with `after` (NULL: done).
 * `data` is JSON text; NULL: the result has none. */
enum work_step work_content_result(struct work *work, int status, const struct text *data,
                                   work_fn *after);

/* Answers it with an error (see content_code()), and is done. `msg` is for the client's eyes. */
enum work_step work_content_error(struct work *work, int status, int detail, const char *msg);

/* Begins the response of the request's operation; see response.h. `data` may be NULL. */
void work_response_begin(const struct work *work, struct text *out, const char *data);

/* Carries the request out: what comes after the agent's `keep`, if there is one. */
enum work_step work_begin(struct work *work);

/* ---- Steps of any work ---- */

/* The step after which nothing is left to do, whatever its call has replied. */
work_fn work_done;

/* Runs the call that was built in work->call, then `next`. */
enum work_step work_call(struct work *work, work_fn *next);

/* Adds a message to be published by WORK_PUBLISH; its format is ours unless it says another. */
void work_add_out(struct work *work, const struct msg *fields);

/* Adds a delivery as a dead letter, for a person to look at and to publish again; `reason` says why
 * it could not be carried out. */
void work_add_letter(struct work *work, const struct msg *m, const char *reason);
enum work_step work_publish(struct work *work, work_fn *next);

/* Starts another work beside this one, on the same worker; it begins with `first` and owns `state`
 * from now on. Its messages follow those that this work has published before. */
void work_spawn(const struct work *work, work_fn *first, void *state,
                void (*state_destroy)(void *state));

/* The same for a work that needs nothing but this name: a copy of it is its state. */
void work_spawn_named(const struct work *work, work_fn *first, const char *name);

/* Carries out beside this work a request that was carried out before, since its reply was not
 * confirmed. The reply has the type "again" and goes to the client id `told`. `fields` has the
 * operation as queue, who asked, message id, reply_to and body; all is copied. */
void work_again(const struct work *work, const struct msg *fields, const char *told);

/* Goes on with `next` when the requests of work_again() are done. */
enum work_step work_join(struct work *work, work_fn *next);

/* Asks how many consumers `queue` has, whose name lives as long as the agent, and goes on with
 * `next`: with an answer that is process.presence_ms old at most. A work that waits for the answer
 * is dropped with the link to the broker, also if it has answered before. */
enum work_step work_count_consumers(struct work *work, const char *queue, work_fn *next);

/* Runs `run` with work->state in a thread beside the worker, and goes on with `next`. The state is
 * nobody else's meanwhile: when the work is dropped, it is destroyed after `run` has ended. */
enum work_step work_aside(struct work *work, aside_fn *run, work_fn *next);
