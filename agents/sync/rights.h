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
 * Adds what arg_restricted() reads: after their number, classes, each with its name, the text of
 * its rule for reads, and how many of its columns have one of their own: each column and its rule.
 *
 * The first: all classes of the model of which there is more to say than that everyone who signs in
 * may read them whole. The second: the class itself and its descendants, all that are not abstract,
 * whoever may read them; so an object that was asked for by the name of `c` is of one of these.
 */
void rights_add_restricted(struct redis_call *call, const struct model *model);
void rights_add_restricted_of(struct redis_call *call, const struct model_class *c);

/*
 * Adds what guards.lua reads: a list of column, name, rule for updates, rule for reads ("": none of
 * its own) of the fields of the object with a rule of their own for updates. The second: for an
 * object that is to be made, of whose values the first `given` were asked for; one that it would
 * have anyway is not guarded.
 */
void rights_add_guards(struct redis_call *call, const struct model_object *object);
void rights_add_guards_new(struct redis_call *call, const struct model_object *object,
                           size_t given);
