#pragma once

#include "agents/runtime/works.h"

/*
 * works_private - what the files of works share, and nobody else may include.
 *
 *   works.c        works begin, wait for Redis and for each other, and end
 *   works_told.c   what they have the broker do, and what it tells them
 *   works_aside.c  what they have done in threads beside the worker
 */

/* A work, and where it stands. At each moment it waits in exactly one place: `calls`, `outbox`,
 * `awaited`, `counts`, `aside`, or for its children. */
struct work_runner {
    struct work work;
    struct works *works;
    uint64_t tag;       /* of the delivery; 0: none */
    int64_t taken_us;   /* when it came; clock_mono_us() */
    size_t unpublished; /* the first of work.out that is not published yet */
    size_t unconfirmed;
    bool has_spoken; /* all that it has published was told of */
    bool is_poll;
    struct work_runner *parent; /* that has started it again; NULL: none, or gone */
    size_t children;
    bool joining;
    bool counting;
    struct aside_job *job;                    /* that is aside; NULL: none */
    struct work_runner *previous, *following; /* in works->all */
};

/* Puts the work where its step says that it waits. */
void runner_place(struct work_runner *runner, enum work_step step);

/* Everything was published and told of: the step after it sees the outcomes. */
void runner_sent(struct work_runner *runner);

/* It waits for the number of consumers, unless that is known. */
void runner_count(struct work_runner *runner);

/* Its state goes aside. */
void runner_aside(struct work_runner *runner);

/* One that ends: its job, if there is one, stays alone. */
void runner_leave_job(struct work_runner *runner);
