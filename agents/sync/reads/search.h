#pragma once

#include "agents/runtime/work.h"
#include "common/model/model.h"

/*
 * search - a walk through the objects of a class and its descendants that have all the values of an
 * example, in the order of their ids: along the declared index that fits best, or through all.
 *
 * An operation that searches begins it once, then calls until it is over:
 *
 *     search_call(work, search, most); return work_call(work, answer);
 *
 *     answer:  if (!search_take(work, search, &step)) return step;     an error
 *              ... what was found is in work->call.reply, as read.lua tells it ...
 *              if (!search->is_over) search_call(...)
 *
 * Where more than sync.max_scan objects would have to be looked through, the walk is refused, with
 * the name of the index that is missing (spec 3.4).
 */

struct search {
    struct model_object example;
    bool watches;     /* the session watches what is found, from that very version */
    bool takes_all;   /* nothing but the example decides what is part of the answer */
    const char *rule; /* who may search, as rights.lua has it */
    const struct model_index *index;   /* that is walked; NULL: all objects of the class are */
    const struct model_index *unbuilt; /* that would be walked if it could be used; or NULL */
    bool is_over;
    struct text last; /* what the walk goes on behind; empty: it has not begun, or is over */
};

/* When the example is there, with own classes (own_class.h). */
void search_begin(struct search *search);

/* Builds the call for a next step, which finds `most` objects at most. */
void search_call(struct work *work, const struct search *search, int64_t most);

/* Looks at the reply. False: it is an error, and *step is the answer. */
bool search_take(struct work *work, struct search *search, enum work_step *step);

void search_deinit(struct search *search);
