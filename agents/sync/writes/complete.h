#pragma once

#include "common/model/model.h"

/*
 * complete - what an object needs before it is made.
 */

/* A field that was left out takes its default, behind the values that there are; nothing else is
 * ever added. */
void complete_add_defaults(struct model_object *object);

/* The name of the first required field that has no value, or NULL. */
const char *complete_missing(const struct model_object *object);
