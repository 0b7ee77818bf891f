#pragma once

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * json_patch - JSON Patch (RFC 6902) for texts: add, remove, replace, move, copy and test, all or
 * nothing. Numbers keep their texts and objects the order of their members.
 *
 * What the RFC leaves open:
 *   - Of several members with one name the last counts, as everywhere; removing one removes all of
 *     its name. An operation with two "op", "path", "from" or "value" is malformed.
 *   - A new member stands behind the others; a replaced one stays where it is.
 *   - The whole document ("") can be replaced and tested, but not removed.
 *   - A patch may be a single operation, without an array around it.
 *
 * Which members a patch changed: json_changes_init() on the canonical text of the document and the
 * result (common/json/json_members.h).
 */

struct json_patch_limits {
    size_t operations; /* in one patch */
    size_t depth;      /* nested arrays and objects of the result, up to JSON_DEPTH_MAX */
    size_t size;       /* bytes of the document's canonical text, after each operation that makes it
                          longer; looked at before memory is used */
    size_t work;       /* bytes read and written and entries passed, by all operations together;
                          bounds time and memory where a small patch does much: it is looked at
                          before each operation, so the last one may go beyond. 100,000,000
                          are about half a second of one core */
};

/*
 * Applies `patch` to `document` (both accepted by json_check()) and adds the canonical text of the
 * result to *out. On failure *out is as before, and *problem says which operation it was, its path,
 * and why, in words for the sender of the patch:
 *
 *     operation 2, replace "/rooms/7": there are only 3 items in "/rooms"
 *
 * Operations are counted from 0, as items of an array are.
 *
 * ERR_MALFORMED: no operation, or one without a member that it needs, or with a bad pointer.
 * ERR_NOT_FOUND: it does not apply: nothing is there, an index is wrong, a test failed, ...
 * ERR_RANGE: beyond a limit.
 */
_must_check_ enum err json_patch_apply(struct json_span document, struct json_span patch,
                                       const struct json_patch_limits *limits, struct text *out,
                                       struct text *problem);
