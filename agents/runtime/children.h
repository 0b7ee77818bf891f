#pragma once

#include "common/base/cleanup.h"
#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * children - what scripts need to know of children relations, so that whoever changes a reference,
 * or a field that pages show, keeps the views of the parents (lua/children.lua): the relations, for
 * each the class that has it, how its children are known (by a list, by their own reference,
 * through join objects, by their ids), the columns that say so, and the classes of the children;
 * then, of the classes of children that are written, the columns that views sort by and those that
 * pages show. Only "0" where there are none. They follow the listings, as arguments of every script
 * that has lua/children.lua.
 *
 * All is put together once, from a model that must outlive it. Read-only afterwards, shared by all
 * threads.
 */

struct children;

/* Never NULL. */
struct children *children_create(const struct model *model);
void children_destroy(struct children *children);
DEFINE_CLEANUP(struct children *, children_destroy)

/* Adds what a write of an object of the class may concern; NULL: of any class. */
void children_add_args(struct redis_call *call, const struct children *children,
                       const struct model_class *c);
