#pragma once

#include <stdbool.h>

#include "common/model/model.h"

/*
 * complete - what an object needs before it is made.
 */

/* A field that was left out takes its default, behind the values that there are. */
void complete_add_defaults(struct model_object *object);

/* The name of the first required field that has no value, or NULL. */
const char *complete_missing(const struct model_object *object);

/* Has the field refer to what the pair names: a to-one to nothing else, a list behind all others.
 * False: it did already. */
bool complete_add_pair(struct model_object *object, const struct model_field *field,
                       const char *pair);
