#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

struct json_object;

/*
 * http_arguments - what callers of an HTTP operation have to give: names and types, as declared;
 * values, as called.
 *
 *   "arguments": [{"name": "city", "type": "string"}, {"name": "days", "type": "integer"}]
 *
 * A call gives all of them and no others (arguments.h), each of its type; null is of type json
 * only.
 *
 * Ownership: names are borrowed from the declarations, values from the call.
 */

#define HTTP_ARGUMENTS_MAX 64

enum http_argument_type {
    HTTP_STRING,
    HTTP_NUMBER,
    HTTP_INTEGER, /* a number without fraction and exponent, of any size */
    HTTP_BOOLEAN,
    HTTP_ANY, /* "json" */
};

struct http_argument {
    const char *name;
    enum http_argument_type type;
    bool used; /* some template has it */
};

struct http_arguments {
    struct http_argument at[HTTP_ARGUMENTS_MAX + 1]; /* behind those that callers give the call's
                                                        key, which templates have as any other */
    size_t count;                                    /* of those that callers give */
};

/* Reads the member "arguments" of `row`, the operation at `path`; mistakes go to `problems`. */
void http_arguments_load(struct json_object *row, const char *path, struct http_arguments *out,
                         struct text *problems);

/* Tells of each argument that no template has. */
void http_arguments_check_used(const struct http_arguments *arguments, const char *path,
                               struct text *problems);

/* The argument with these bytes as its name, the call's key too; or NULL. */
struct http_argument *http_arguments_find(struct http_arguments *arguments, const char *name,
                                          size_t size);

/* Fills values[0..count] from what a caller gave and the call's key, a JSON string. ERR_MALFORMED,
 * ERR_TYPE: `why` has words for the caller. */
_must_check_ enum err http_arguments_read(const struct http_arguments *arguments,
                                          struct json_span given, struct json_span key,
                                          struct json_span *values, struct text *why);
