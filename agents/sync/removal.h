#pragma once

#include "agents/runtime/work.h"

/*
 * removal - what the scripts that remove objects need of the model (store/removal.lua, spec 5.6):
 * the lineages of all classes, since anything may refer to anything, which references are required,
 * for how long tombstones stay, and all listings.
 */
void removal_add_args(struct work *work);
