#pragma once

#include "common/model/model.h"

/*
 * model_content - objects in the form of the content protocol (spec "Vocabulary"; contract "The
 * example domain").
 *
 * A key is {"type":"user","id":5}: the id of a class is a number, a string or an array of these. An
 * object's content is its fields; a relation is {"key":{...}} there, or an array of these.
 *
 * No part of the content is: the relation of the children; to-manys that are not listed; relations
 * to classes that have no type, since there are no keys for them.
 *
 * Like those of model.h these functions only read the model; what they are given is checked JSON,
 * or a canonical text of the store. `problem` gets, on failure, the rest of a line that begins with
 * the path of what was read: ".id: expected ...", ": expected an object, found null".
 */

/* Adds the key of an object whose class has a type. */
void model_add_key(struct text *out, const struct model_class *c, const char *id);

/*
 * Reads a key. The id, as the store has it, is the caller's to free().
 * ERR_MALFORMED: no legal key at all, told. ERR_NOT_FOUND: a legal one, but there is no such type,
 * or no object of it can have this id; told too.
 */
_must_check_ enum err model_read_key(const struct model *model, struct json_span key,
                                     const struct model_class **class_out, char **id_out,
                                     struct text *problem);

/* The same of an object that shall be made: without an id *id_out is NULL. */
_must_check_ enum err model_read_new_key(const struct model *model, struct json_span key,
                                         const struct model_class **class_out, char **id_out,
                                         struct text *problem);

/* Is the field of the class part of the content of its objects? */
bool model_in_content(const struct model_class *c, const struct model_field *field);

/* Adds the content, in the model's order: {"first_name":"Ada",...}. `value` gives the stored text
 * of a field, NULL for null, or MODEL_HIDDEN: it is left out. */
void model_add_content(struct text *out, const struct model_class *c, model_value_fn *value,
                       const void *arg);

/* Adds one value of it; `stored` may be NULL. References to what the model does not know any more
 * are left out. */
void model_add_content_value(struct text *out, const struct model_field *field, const char *stored);

/*
 * Reads some or all members of an object's content into *out, as model_read_object() does from a
 * request; a reference may be a summary, of which only the key counts. ERR_MALFORMED: unknown or
 * duplicate member, or one that is no part of the content; ERR_TYPE, ERR_RANGE; ERR_TYPE also for
 * what only the server sets. On failure *out is empty.
 */
_must_check_ enum err model_read_content(const struct model *model, const struct model_class *c,
                                         struct json_span members, struct model_object *out,
                                         struct text *problem);
