#pragma once

#include "agents/runtime/work.h"

/*
 * removal - what the scripts that remove objects need of the model (store/removal.lua, spec 5.6):
 * the lineages of all classes, since anything may refer to anything, which references are required,
 * and for how long tombstones stay.
 */
void removal_add_args(struct work *work);
