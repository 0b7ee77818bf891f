#pragma once

#include "agents/sync/watchers/walk.h"
#include "agents/sync/watchers/watched.h"

/*
 * compute - the run that makes a value: reads what it is made of, step by step, and settles what
 * has come of it. It is the first member of the state (work->state) of a work that computes.
 *
 *     computing->watched, run, touched = ...      as run_begin() of store/value.lua says
 *     return compute(work, then);
 */

enum computed {
    COMPUTED,          /* `value` and `version` are what is stored now */
    COMPUTED_VANISHED, /* nobody watches it any more */
    COMPUTED_TOO_MANY, /* it looks at too many objects; only with `asker` */
    COMPUTED_FAILED    /* Redis has refused a step; logged */
};

struct computing {
    struct watched watched;
    struct text run, touched;
    bool is_gone;   /* the object is: the value is null */
    char asker[32]; /* session that is told by the caller; "": none */
    struct text value;
    int64_t version;
    enum computed outcome;
    struct walk *walk;
    work_fn *then;
};

void computing_deinit(struct computing *computing);

enum work_step compute(struct work *work, work_fn *then);

/* Only the end of it: what the value is, is known (JSON text). */
enum work_step compute_settle(struct work *work, const char *value, work_fn *then);
