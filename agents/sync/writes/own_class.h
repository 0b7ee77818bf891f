#pragma once

#include "agents/runtime/work.h"
#include "common/model/model.h"

/*
 * own_class - an object may be named by a parent of its class: "parentClass::ID" and "class::ID"
 * are the same object (spec 3.4). What is stored, compared and told has the object's own class, so
 * names that may be a parent's are looked up first. Others cost nothing.
 *
 * What a name leads to may be gone, or be there, a moment later; the commit, or the search, finds
 * that out by itself.
 */

/* Begins a look-up of one object. False: there is nothing to look up. */
bool own_class_ask(struct work *work, const struct model_class *named, const char *id);

/* The same for all that the relations of an object name and, with `itself`, for the object. */
bool own_class_ask_object(struct work *work, struct model_object *object, bool itself);

/* In the step after the look-up: puts the own class in place of the one that was named, where there
 * is such an object. False: the look-up has failed, and *step is the answer. */
bool own_class_take(struct work *work, const struct model_class **c, enum work_step *step);
bool own_class_take_object(struct work *work, struct model_object *object, bool itself,
                           enum work_step *step);

/* The same for many: a look-up is begun, gets all questions, and then, in the same order, tells its
 * answers. An object is asked for itself, too, whatever its class is. */
void own_class_begin(struct work *work);
void own_class_add(struct work *work, struct model_object *object);
void own_class_add_pair(struct work *work, const struct model_class *c, const char *id);

struct own_class_answers {
    const struct model *model;
    const struct redis_reply *reply; /* of work->call */
    size_t taken;
};

/* False: the look-up has failed, and *step is the answer. */
bool own_class_answered(struct work *work, struct own_class_answers *answers, enum work_step *step);

/* Puts own classes in place of the ones that were named. True: there is such an object. */
bool own_class_next(struct own_class_answers *answers, struct model_object *object);
bool own_class_next_pair(struct own_class_answers *answers, const struct model_class **c);
