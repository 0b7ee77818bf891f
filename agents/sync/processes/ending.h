#pragma once

#include "agents/runtime/work.h"
#include "agents/sync/processes/outcome.h"

/*
 * ending - a call of a process ends: its outcome is kept, and whoever waits for it is told where
 * they are now (design section 13).
 *
 * It is the first member of the state of a work that ends a call (work->state), so that the steps
 * here find it. What ends a call first counts; the rest is too late, and is dropped.
 */

struct ending {
    struct text call; /* its id */
    struct text by;   /* what ends it: the same again is no second answer */
    bool again;       /* it may have ended the call already, without the client having been told */
    bool leased;      /* nobody would deliver it again: it is looked at until ending_told() */
    struct outcome outcome;
    work_fn *published; /* what comes when the broker has the call: see publish.h */
    work_fn *after;
};

void ending_deinit(struct ending *ending);

/* Ends the call, tells, then `after`. */
enum work_step ending_begin(struct work *work, work_fn *after);

/* The last step of one that is leased. */
work_fn ending_told;
