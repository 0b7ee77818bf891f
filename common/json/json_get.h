#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

struct json_object;

/*
 * json_get - checked access to json-c trees: for the files that people write (model, users,
 * providers), never for traffic.
 *
 * Each function looks up one member and checks its kind. What is wrong is added to `problems`, a
 * line each, with the path that the caller gives: "classes[3].fields.title.type: expected a
 * string, found a number". So a file is checked whole and all its mistakes are told at once.
 *
 * Ownership: results are borrowed from the tree.
 */

/* Reads and parses a whole file, strictly (duplicate members included). ERR_IO or ERR_CONFIG, with
 * the reason in `problems`. The caller owns *out: json_object_put(). */
_must_check_ enum err json_get_file(const char *path, struct json_object **out,
                                    struct text *problems);

/* The same for what such a file holds; `name` stands for it in `problems`. ERR_CONFIG. */
_must_check_ enum err json_get_text(const char *name, const struct text *content,
                                    struct json_object **out, struct text *problems);

/* ERR_NOT_FOUND (told only if `required`), ERR_TYPE (told; also a string with a NUL inside),
 * ERR_OK. Unless it is ERR_OK, a result is NULL, and a bool keeps what the caller has put into it.
 */
_must_check_ enum err json_get_string(struct json_object *object, const char *path,
                                      const char *name, bool required, const char **out,
                                      struct text *problems);
_must_check_ enum err json_get_bool(struct json_object *object, const char *path, const char *name,
                                    bool *out, struct text *problems);
_must_check_ enum err json_get_object(struct json_object *object, const char *path,
                                      const char *name, bool required, struct json_object **out,
                                      struct text *problems);
_must_check_ enum err json_get_array(struct json_object *object, const char *path, const char *name,
                                     bool required, struct json_object **out,
                                     struct text *problems);

/* What is asked of a whole number; another one is told of. */
struct json_int {
    bool required;
    int64_t least, most;
};

/* ERR_RANGE (told): outside of what is wanted, or too large for 64 bits. Unless it is ERR_OK, *out
 * keeps what the caller has put into it. */
_must_check_ enum err json_get_int(struct json_object *object, const char *path, const char *name,
                                   const struct json_int *wanted, int64_t *out,
                                   struct text *problems);

/* Tells of every member of `object` that is not in the NULL-terminated list. */
void json_get_only(struct json_object *object, const char *path, const char *const *names,
                   struct text *problems);
