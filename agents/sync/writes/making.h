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
    size_t given;   /* out: of the values, those that were asked for stand first */
    bool added;     /* out: the server has set more than what was asked for */
};

/* The first step, which leads to `commit` or to a refusal. */
enum work_step making_begin(struct work *work);

/* A new object takes its defaults, and what the server sets; `maker` is the pair of who makes it,
 * "" for nobody (maker.h). True: the server has set more than what was asked for. */
bool making_fill(struct model_object *object, const char *maker, int64_t accepted_ms);

/* Gives a new object a string id: the same request always makes the same one, and for each `place`
 * in it ("": the only one) another. */
void making_add_id(struct model_object *object, const struct request *rq, const char *place);

/* Clients name new objects of string ids, the server the others: gives the object its id, or leaves
 * it NULL for the next integer. NULL: done; else why that cannot be. */
const char *making_settle_id(struct model_object *object, const struct request *rq,
                             const char *place);
