#pragma once

#include <stdint.h>

#include "common/base/text.h"

/*
 * names - a list of names that is carried from a reply or a request into further steps, and handled
 * from its beginning, some at a time.
 */

struct names {
    struct text all; /* each ends with a NUL */
    size_t handled;  /* where those begin that are left */
};

void names_add(struct names *names, const char *name);
void names_deinit(struct names *names);

/* The name that begins at *at, which is moved on to the next one; NULL at the end. The first of
 * those that are left begins at names->handled. */
const char *names_next(const struct names *names, size_t *at);

/* So many of those that were left are handled, or all if there are not so many. */
void names_handled(struct names *names, int64_t count);
