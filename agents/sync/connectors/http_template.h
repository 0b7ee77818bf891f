#pragma once

#include <stddef.h>

#include "agents/sync/connectors/http_arguments.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

struct json_object;

/*
 * http_template - texts with arguments in them: "/v1/weather/{city}?days={days}".
 *
 * {name} stands for an argument, {{ and }} for braces. How a value is put in follows from the place
 * in which it stands, so that no value can be more than a value there: not another segment of a
 * path, parameter, header or member. A string goes in as its characters, a number or boolean as it
 * was written.
 *
 * Templates are made when the declarations are read, and are constant from then on.
 */

enum http_place {
    HTTP_IN_PATH,        /* percent-encoded; must not be empty */
    HTTP_IN_QUERY,       /* percent-encoded */
    HTTP_IN_FORM,        /* percent-encoded, what stands around it too */
    HTTP_IN_HEADER,      /* as it is; must not hold control characters */
    HTTP_IN_TEXT,        /* as it is */
    HTTP_IN_XML,         /* with entities; must not hold what XML cannot */
    HTTP_IN_JSON_STRING, /* with the escapes of JSON, what stands around it too */
    HTTP_IN_JSON,        /* the value's own JSON */
};

/* Some bytes, and the argument behind them. */
struct http_part {
    size_t from, size;                    /* of the bytes, in `bytes` */
    const struct http_argument *argument; /* NULL: none */
    enum http_place place;
};

struct http_template {
    struct http_arguments *arguments; /* borrowed */
    struct text bytes;
    struct http_part *parts;
    size_t count;
};

void http_template_deinit(struct http_template *t);

/* Adds bytes as they are. */
void http_template_add_bytes(struct http_template *t, const char *bytes, size_t size);

/* Adds the value of an argument. ERR_TYPE: one of type json fits into HTTP_IN_JSON only; `why` says
 * so. */
_must_check_ enum err http_template_add_argument(struct http_template *t,
                                                 struct http_argument *argument,
                                                 enum http_place place, struct text *why);

/* Adds what `source` says, all of it in one place. ERR_MALFORMED, ERR_NOT_FOUND, ERR_TYPE: `why`
 * has the mistake. */
_must_check_ enum err http_template_add(struct http_template *t, const char *source, size_t size,
                                        enum http_place place, struct text *why);

/* Adds a JSON value whose strings are templates; one that is an argument and nothing else stands
 * for its JSON, of whatever type. Names of members are no templates. Errors as above. */
_must_check_ enum err http_template_add_json(struct http_template *t, struct json_object *value,
                                             struct text *why);

/* Adds the text with these values, by the positions of their arguments. ERR_RANGE: a value does not
 * fit its place; `why` has words for the caller. */
_must_check_ enum err http_template_fill(const struct http_template *t,
                                         const struct json_span *values, struct text *out,
                                         struct text *why);
