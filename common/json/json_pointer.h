#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * json_pointer - JSON Pointer (RFC 6901): "/rooms/0/title" names a value inside a document.
 *
 * A pointer is a span of plain bytes here, what json_decode() makes of the string in the JSON text;
 * it may hold NULs. "" is the whole document, "/" the member whose name is empty. "~1" stands for
 * "/" and "~0" for "~" within a name, so that every "/" begins a token.
 *
 * A token is handed out as a canonical JSON string, quotes included: that is what the keys of a
 * canonical text (json_add_canonical()) are, so that a member is found by comparing bytes.
 */

/* NULL, or why these bytes are no pointer (section 3): a constant. What it has accepted may be
 * given to the functions below. */
const char *json_pointer_fault(struct json_span pointer);

/* Takes the first token off *rest and puts it into *key, whose former content is forgotten. False
 * if there is none left. */
bool json_pointer_next(struct json_span *rest, struct text *key);

size_t json_pointer_depth(struct json_span pointer); /* tokens */

/* All but the last token; the pointer has one. */
struct json_span json_pointer_parent(struct json_span pointer);

/* Does `inner` name something inside of what `outer` names? Not if they are the same. */
bool json_pointer_is_inside(struct json_span inner, struct json_span outer);

/* The token as the index of an array's item (section 4): digits without leading zeros. A number too
 * great for size_t is SIZE_MAX, which no array reaches. ERR_MALFORMED: none, "-" included. */
_must_check_ enum err json_pointer_index(struct json_span key, size_t *out);

/* Adds a token to a pointer: the name of a member, as it stands in its JSON text, or an index. */
void json_pointer_add_key(struct text *pointer, struct json_span key);
void json_pointer_add_index(struct text *pointer, size_t index);
