#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/text.h"

/*
 * one_line - texts that may not hold control characters, so that they cannot be more than one line:
 * headers, and secrets in files of their own (tokens, passwords).
 */

bool one_line_is(const char *bytes, size_t size);

/* Adds the only line of the file, 1 to `most` bytes; line breaks at its end do not count. NULL, or
 * why not, in words for whoever declared the file, which never hold any of it; then *out holds what
 * it held before. */
const char *one_line_add_file(struct text *out, const char *path, size_t most);
