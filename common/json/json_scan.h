#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * json_scan - strict JSON (RFC 8259) read in place: no tree, no copies, no number is ever rounded.
 *
 * json_check() looks at every byte once. Only what it has accepted may be given to the functions
 * below it; these then cannot fail on syntax. A span is a piece of somebody else's text and lives
 * as long as that.
 *
 * The gateway routes with it and splices bytes; the agents cut objects into raw field texts with
 * it, so that 2^53 + 1, 1.10, [] and null come back as they were sent.
 */

struct json_span {
    const char *at; /* NULL: absent */
    size_t size;
};

enum json_kind {
    JSON_ABSENT,
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

#define JSON_DEPTH_MAX 1024 /* whatever the limits say */

struct json_limits {
    size_t depth;        /* nested arrays and objects at most */
    size_t number_chars; /* characters of one number at most */
};

/* Where and why a text was refused. */
struct json_fault {
    size_t offset;    /* of the offending byte */
    const char *what; /* a constant: "unexpected character", "nested too deep", ... */
};

/*
 * Is `size` bytes of `text` exactly one JSON value (white space around it allowed)?
 * ERR_OK; ERR_MALFORMED (syntax); ERR_UTF8 (bytes that are not UTF-8, surrogates included, or a
 * lone \u surrogate); ERR_RANGE (a limit). *fault is filled on failure; it may be NULL.
 */
_must_check_ enum err json_check(const char *text, size_t size, const struct json_limits *limits,
                                 struct json_fault *fault);

/* The value in a checked text, without the white space around it. */
struct json_span json_value(const char *text, size_t size);

enum json_kind json_kind(struct json_span value);
const char *json_kind_name(enum json_kind kind); /* "absent", "null", "boolean", ... */

/* Walks the members of an object, or the items of an array, in order:
 *
 *     struct json_walk w = json_walk(object);
 *     while (json_next(&w)) use(w.key, w.value);
 *
 * `key` keeps its quotes and escapes (absent for array items). A value of another kind has no
 * members. */
struct json_walk {
    struct json_span key, value;
    const char *at, *end; /* private */
};
struct json_walk json_walk(struct json_span value);
bool json_next(struct json_walk *w);

/* Does the key (or any string value), unescaped, equal `name`? */
bool json_string_is(struct json_span string, const char *name);

/* The member's value, the last one if it stands there twice; absent when it is not there or
 * `object` is no object. *count, unless NULL, says how often it stands there. */
struct json_span json_member(struct json_span object, const char *name, size_t *count);

size_t json_count(struct json_span array); /* items or members */

/* Adds the unescaped bytes of a string (they may hold NULs) to *out. ERR_TYPE for another kind. */
_must_check_ enum err json_decode(struct json_span string, struct text *out);

/* The string as an owned C string. ERR_TYPE: no string; ERR_RANGE: holds a NUL or is longer than
 * `max` bytes when unescaped. */
_must_check_ enum err json_string(struct json_span string, size_t max, char **out);

/* ERR_TYPE: not a number without fraction and exponent; ERR_RANGE: outside int64_t. */
_must_check_ enum err json_int64(struct json_span number, int64_t *out);

/* A number without fraction and exponent, also one outside int64_t? */
bool json_is_integer(struct json_span value);

bool json_is_true(struct json_span value);

/* Adds the value in the one form in which we store and compare texts: no white space, strings with
 * the shortest escapes, numbers as they are. Equal values of one type have equal canonical texts.
 */
void json_add_canonical(struct text *out, struct json_span value);

/* All bytes of a text, until it changes; {"", 0} of an empty one. */
struct json_span json_span_text(const struct text *t);

/* The span of a C string that holds checked JSON; for constants and stored texts. */
struct json_span json_span_of(const char *text);
