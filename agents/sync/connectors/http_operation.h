#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/runtime/http/http_address.h"
#include "agents/sync/connectors/http_arguments.h"
#include "agents/sync/connectors/http_template.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

struct json_object;

/*
 * http_operation - the operations of the HTTP connector, as the section "http" of the file of
 * processes declares them. deploy/example/processes.md has its grammar.
 *
 * They are checked whole when they are read, so that a call can only fail for its arguments or the
 * server: the host of a URL is never an argument's, a header never anything but a header.
 *
 * Ownership: strings are borrowed from the file's tree, which lives longer. Immutable, so of all
 * threads.
 */

#define HTTP_REDIRECTS_MOST 20 /* member maxRedirects */

struct http_method {
    const char *name;
    bool may_have_body;
    bool has_length; /* says so when its body is empty */
};

enum http_type {
    HTTP_AS_TYPED, /* JSON if the answer's Content-Type says so, else a string */
    HTTP_AS_JSON,
    HTTP_AS_TEXT,
};

struct http_header {
    const char *name;
    struct http_template value;
    bool is_secret; /* goes to the operation's own host alone */
};

struct http_operation {
    const char *name;
    const struct http_method *method;
    struct http_arguments arguments;
    struct http_template url;
    struct http_header *headers;
    size_t header_count;
    struct http_template body;
    int64_t timeout_ms; /* from the first request to the last byte */
    int64_t max_bytes;  /* of an answer's body */
    enum http_type type;
    bool allow_private;
    int64_t max_redirects;
    struct http_origin *origins; /* the URL's own, then those that it may redirect to */
    size_t origin_count;
    const char *ca_file; /* NULL: the system's certificates */
};

struct http_operations {
    struct http_operation **at; /* by name */
    size_t count;
};

/* Reads the section. ERR_CONFIG: each mistake is a line in `problems`. */
_must_check_ enum err http_operations_load(struct json_object *section, struct http_operations *out,
                                           struct text *problems);
void http_operations_deinit(struct http_operations *operations);

/* NULL: there is none of this name. */
const struct http_operation *http_operations_find(const struct http_operations *operations,
                                                  const char *name);

/* Is there a segment "." or ".." in the path of this URL, which a server may leave out? */
bool http_url_has_dots(const char *url);

/*
 * The parts of an operation that have files of their own (http_load_*.c). `path` is that of `row`.
 */

/* The URL, whither it may redirect, and what may be behind it. */
void http_load_url(struct http_operation *operation, struct json_object *row, const char *path,
                   struct text *problems);

/* Headers and body; the method is there, unless it is wrong. */
void http_load_sent(struct http_operation *operation, struct json_object *row, const char *path,
                    struct text *problems);
