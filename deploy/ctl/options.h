#pragma once

#include <stdbool.h>

#include "common/base/cleanup.h"

/*
 * options - what stands behind a command's name: options first or in between, and words.
 */

/* One option, with a value (--wait SECONDS) or without. */
struct ctl_option {
    const char *name;
    const char **value; /* becomes its value, borrowed from argv; NULL: it has none */
    bool *given;        /* of one without a value: becomes true */
};

#define CTL_OPTIONS_MAX 8

/*
 * Reads the options, a list that ends with a NULL name and has at most CTL_OPTIONS_MAX, and returns
 * the words, NULL-terminated: `least` to `most` of them. NULL: told on standard error; the command
 * ends with CTL_UNKNOWN.
 */
_must_check_ char **options_read(int argc, char **argv, const struct ctl_option *options, int least,
                                 int most);
