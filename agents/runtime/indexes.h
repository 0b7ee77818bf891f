#pragma once

#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * indexes - what scripts need to know of the declared indexes of a class: whose each is, the
 * columns of its fields, its name for people, and whether it is unique. lua/index.lua reads it with
 * arg_indexes().
 */
void indexes_add_args(struct redis_call *call, const struct model_index *indexes, size_t count);

/* Adds the list of all indexes of a model as the store names them: "<owner>:<columns>". */
void indexes_add_names(struct redis_call *call, const struct model *model);
