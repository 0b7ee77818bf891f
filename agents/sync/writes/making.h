#pragma once

#include <stdbool.h>

#include "agents/runtime/work.h"
#include "common/model/model.h"

/*
 * making - what comes between the reading of an object that is to be made and its commit: the own
 * classes of what it refers to, defaults, what the server sets, and whether a required field is
 * missing.
 */

/* The beginning of the state of a work that makes an object. */
struct making {
    struct model_object object;
    const char *path; /* of the object in the request */
    work_fn *commit;
    bool may_exist; /* such an object may be there already, named by a parent of its class; then
                       what a new one lacks is the commit's to refuse */
    bool added;     /* out: the server has set more than what was asked for */
};

/* The first step, which leads to `commit` or to a refusal. */
enum work_step making_begin(struct work *work);

/* Gives the object a string id: the same request always makes the same one. */
void making_add_id(struct making *making, const struct request *rq);
