#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/json/json_scan.h"

/*
 * json_equal - do two texts say the same value, as RFC 6902, section 4.6, has it?
 *
 * Numbers are equal if they are numerically: 1, 1.0 and 10e-1, and -0 and 0; exactly, however many
 * digits and whatever exponent they have. Strings by code points, arrays item by item in order,
 * objects without regard to the order of their members (of one name, the last counts).
 *
 * Both must be canonical texts (json_add_canonical()). *read grows by the bytes that were looked
 * at, for callers who bound their work: texts are read once a level.
 */
bool json_equal(struct json_span a, struct json_span b, size_t *read);
