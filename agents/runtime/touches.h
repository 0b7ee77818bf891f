#pragma once

#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * touches - what scripts that change objects need to know of what follows from that elsewhere:
 * whether the model has watched values, so that they look for those that depend on an object
 * (lua/watcher.lua), and what rules along paths look at (lua/path.lua). The arguments, behind what
 * children.h adds, of every script that has these.
 */
void touches_add_args(struct redis_call *call, const struct model *model);
