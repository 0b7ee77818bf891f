#pragma once

#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * rights - who may do what (design section 12), as arguments of scripts. What is asked is decided
 * there, in the same step in which it is done (agents/runtime/lua/rights.lua).
 */

/* Adds the text of the rule. */
void rights_add_rule(struct redis_call *call, const struct model_class *c, enum action action);

/*
 * Adds what arg_restricted() reads: of each class of the model that not everyone who signs in may
 * read, its name, the text of the rule, and those of the columns with rules of their own. The
 * second: of the class itself and its descendants, all that are not abstract, whoever may read
 * them; so an object that was asked for by the name of `c` is of one of these.
 */
void rights_add_restricted(struct redis_call *call, const struct model *model);
void rights_add_restricted_of(struct redis_call *call, const struct model_class *c);
