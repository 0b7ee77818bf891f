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
