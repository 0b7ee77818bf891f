#pragma once

#include "agents/auth/providers/provider.h"
#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * person - the object that stands for a user in the domain (spec 8.6, step 4), an instance of the
 * model's anchor class. store/login.lua makes it at the user's first login; afterwards it is the
 * user's own, and names that change at the provider leave it alone.
 */

/* Can every user have an object of this class (NULL: none stands for users)? ERR_CONFIG, told in
 * `problems`. */
_must_check_ enum err person_check(const struct model_class *anchor, struct text *problems);

/* Adds the arguments with which login.lua would make the Person: "1", id, field of the user's id,
 * lineage, list of field, text, refs, indexes. Only "0" when no class stands for users. */
void person_add_args(struct redis_call *call, const struct model_class *anchor,
                     const struct account *account, int64_t history_kept);
