#pragma once

#include "common/model/model.h"
#include "common/process/settings.h"
#include "common/redis/redis_link.h"

/*
 * listings - what scripts need to know of listed fields, so that whoever changes a reference sets
 * anew the lists that show it (design section 8, "Relations"): for each its column and its name,
 * the column of the field onward ("" without a join class), the lineages of the classes that have
 * it, the classes that make it up, each with the column of its inverse, and the classes that it
 * shows; then the limit of members. Only "0" where there are none. They are the
 * first arguments of every script that has lua/listing.lua.
 */

/* Those that objects of the class may change by what they refer to; */
void listings_add_args(struct redis_call *call, const struct model_class *c,
                       const struct settings *settings);
/* all of the model, for scripts that change objects of any class. */
void listings_add_all(struct redis_call *call, const struct model *model,
                      const struct settings *settings);
