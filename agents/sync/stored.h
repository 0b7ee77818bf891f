#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/text.h"
#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * stored - an object as Redis keeps it: a flat reply of field, "<version> <put time> <text>" pairs
 * (design section 8), read with the model's eyes. What an object has beside its fields is under
 * names that begin with "@" (object.lua).
 *
 * A field whose value is "-" is hidden from whoever the object is read for (rights.lua).
 */

/* Where an object is: its class and id, cut from a ref "class:id". */
struct stored_ref {
    const struct model_class *class_; /* NULL: a class that the model does not know (any more) */
    const char *id;                   /* borrowed from the ref */
};
struct stored_ref stored_ref(const struct model *model, const char *ref);

/* Adds the object as clients see it. */
void stored_add_object(struct text *out, struct stored_ref ref, const struct redis_reply *fields);

/* Adds the object as an export holds it: without what is derived from others or from sessions, and
 * with "@version", "@created" (ms) and, where it belongs to a user, "@user". */
void stored_add_exported(struct text *out, struct stored_ref ref, const struct redis_reply *fields);

/* The text of a column or field, NULL when it was never set, or is hidden; and the version that set
 * it, or 0. */
const char *stored_column(const struct redis_reply *fields, const char *column);
const char *stored_text(const struct redis_reply *fields, const struct model_field *field);
int64_t stored_field_version(const struct redis_reply *fields, const struct model_field *field);

/* What is shown of a field, for model_add_object() and model_add_content(): MODEL_HIDDEN if it is
 * hidden, else its text. `fields` is such a reply. */
const char *stored_shown(const void *fields, const struct model_field *field);

/* The object's version, 0 when there is none. */
int64_t stored_version(const struct redis_reply *fields);

/* When what is newest of it was accepted, in ms; also of what was removed. */
int64_t stored_time(const struct redis_reply *fields);

/* The time, as text, that tells its history from that of any other object of its name. */
const char *stored_birth(const struct redis_reply *fields);

/* Adds `["a","b"]`: the names of the fields whose version is at least `since`, in ascending order.
 */
void stored_add_updated(struct text *out, struct stored_ref ref, const struct redis_reply *fields,
                        int64_t since);

/* Reads the next of the lines "<version> <ref>" in which a script tells of several objects, and
 * moves behind it. False: there is none. `ref` gets the ref in place of what it had. */
bool stored_next_line(const char **lines, int64_t *version, struct text *ref);
