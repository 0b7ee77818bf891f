#pragma once

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * sql_arguments - a call's arguments become the values of the placeholders.
 *
 * Callers give the parameters that go in (arguments.h); by name, a missing one is null.
 */

struct call;
struct sql_procedure;

/* In the order of the placeholders; NULL is null. A zeroed struct is empty. */
struct sql_values {
    char **at;
    size_t count;
};

/* ERR_MALFORMED, ERR_TYPE: `problem` says which parameter, what was expected and what was found. */
_must_check_ enum err sql_values_write(const struct sql_procedure *procedure,
                                       const struct call *call, struct sql_values *out,
                                       struct text *problem);
void sql_values_deinit(struct sql_values *values);
