#pragma once

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * json_diff - a JSON Patch (RFC 6902) that turns one text into another: for answers that carry what
 * changed instead of everything.
 *
 * json_patch_apply(before, patch) gives `after`, numbers with the very same texts, objects up to
 * the order of their members. Only add, remove and replace are used.
 *
 *   Objects  member by member; what is inside of a member, or the whole member, whichever is
 * shorter. Arrays   item by item. An item is known again by its `key` member, if it is an object
 * that has one (a summary of the content protocol), else by its text. The longest run of items that
 * keep their order stays; the others are removed and added. So a summary that moved is two
 * operations, and one that changed in a field is one.
 *
 * The work is in proportion to the texts and their nesting, times the logarithm of how many entries
 * an array or object has.
 */

/*
 * Adds the patch, an array of operations in canonical form, to *out: "[]" if nothing changed. Both
 * texts must be accepted by json_check(); `max` is usually the size of `after`: a longer patch is
 * of no use. ERR_RANGE: the patch would have more than `max` bytes; *out is as before.
 */
_must_check_ enum err json_diff(struct json_span before, struct json_span after, size_t max,
                                struct text *out);
