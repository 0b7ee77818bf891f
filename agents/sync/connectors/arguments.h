#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * arguments - what callers give to a declared operation or procedure: by name, {"city": "Bern",
 * "days": 3}, or by position, ["Bern", 3], each of them once and no others; null is none at all.
 * Their types are the connectors' own.
 */

#define ARGUMENTS_MAX 100

/* What callers write where the value is the agent's own: the call's key (struct call). No argument
 * is called so. */
#define ARGUMENTS_CALL_KEY "@call"

/* Those that a caller gives, in their order. */
struct argument_names {
    const char *at[ARGUMENTS_MAX];
    size_t count;
    bool may_miss; /* by name, some of them */
};

/* Fills values[0..count), borrowed from what is given; one that is missing is absent.
 * ERR_MALFORMED: `why` has words for the caller. */
_must_check_ enum err arguments_read(const struct argument_names *names, struct json_span given,
                                     struct json_span *values, struct text *why);
