#pragma once

#include "agents/runtime/work.h"
#include "common/model/model_diff.h"

/*
 * survey - what the store says before its model changes: by which model it is kept, which indexes
 * are built, which classes have objects, and which agents would write by another model.
 *
 * It is the first member of the state of whoever asks (work->state), so that the steps find it.
 */

struct survey {
    const struct model *after; /* the model that shall be; borrowed */
    struct model *before;      /* the applied one */
    struct text built;         /* indexes "<owner>:<columns>", a line each, also before the first */
    struct text agents;        /* those with another model, a line each */
    int64_t *counts;           /* objects of the classes of `before`, then of those of `after`,
                                  with their descendants */
    struct model_facts facts;  /* all that in the words of model_diff.h */
    work_fn *then;
};

void survey_deinit(struct survey *survey);

/* Asks, then goes on with `then`. Without an answer survey->before is NULL. */
enum work_step survey_begin(struct work *work, const struct model *after, work_fn *then);

/* Objects of a class of `after`, and of its descendants. */
int64_t survey_count(const struct survey *survey, const struct model_class *c);

/* Agents that were last heard of before this time are gone. */
int64_t survey_silent_since(const struct work *work);
