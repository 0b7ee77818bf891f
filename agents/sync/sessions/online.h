#pragma once

#include "agents/runtime/work.h"
#include "common/model/model.h"

/*
 * online - presence (design section 7): the user's own object shows whether a session of theirs is
 * bound, through whichever protocol. lua/binding.lua says of whom it is to be looked at, the poll
 * takes them. Who logs in or returns is looked at with that, so that they see themselves there.
 */

/* The field that shows it; NULL: the model has none, and nobody is looked at. */
const struct model_field *online_field(const struct model *model);

/* Looks at one user, beside this work, and has a change told. */
void online_start(const struct work *work, const char *user);
