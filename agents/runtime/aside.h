#pragma once

#include <stddef.h>

#include "agents/runtime/work.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * aside - threads beside one worker, for what would hold it up, such as asking a server elsewhere:
 * a work hands its state to one of them (work_aside()) and goes on when it is back.
 *
 * What waits for a thread is not bounded here: it is of requests, which the worker's prefetch
 * bounds.
 *
 * Threads:   all functions are for the worker's thread.
 * Ownership: a job has its state until it is taken back, also when its work has ended meanwhile.
 */

struct aside;

struct aside_job {
    aside_fn *run;
    void *state;
    void (*state_destroy)(void *state);
    struct work_runner *runner; /* of the worker's thread; NULL: the work has ended */
    struct aside_job *following;
};

/* NULL is allowed. */
void aside_job_destroy(struct aside_job *job);

struct aside_config {
    unsigned threads;      /* 1 or more */
    void *(*open)(void);   /* what a thread needs for itself, in that thread; NULL: nothing */
    void (*close)(void *); /* likewise */
    void (*wake)(void *);  /* tells the worker that a job is back; in any thread */
    void *arg;             /* for `wake`; borrowed */
};

_must_check_ enum err aside_start(const struct aside_config *config, struct aside **out);

/* Waits for the jobs that run; those that wait, or are back, are destroyed. NULL is allowed. */
void aside_destroy(struct aside *aside);

/* Runs it when a thread is free. */
void aside_put_take(struct aside *aside, struct aside_job **job);

/* One that is back, now the caller's; NULL: none. */
struct aside_job *aside_take(struct aside *aside);
