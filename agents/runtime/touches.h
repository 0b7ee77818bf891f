#pragma once

#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * touches - what scripts need to know of watched values: whether the model has any, so that whoever
 * changes an object looks for those that depend on it (lua/watcher.lua). One argument, behind what
 * children.h adds, of every script that has lua/watcher.lua.
 */
void touches_add_args(struct redis_call *call, const struct model *model);
