#pragma once

#include "common/base/secret.h"
#include "common/model/model.h"

/*
 * model_internal - what the files of the module share: model.c (memory, look-ups), model_load*.c
 * (from a file), model_pair.c (IDs and pairs), model_value.c (one value of a
 * request), model_object.c (a whole object).
 */

struct json_object;

/* All memory of a model is in blocks that live as long as it does. */
struct model_block;

struct model {
    struct json_object *tree; /* the file; all names and values point into it */
    struct model_block *blocks;
    struct model_class *classes; /* in the order of the file */
    size_t count;
    const struct model_class **by_name; /* sorted */
    const struct model_class *anchor;
    const struct model_listing **listings;
    size_t listing_count;
    const char *text; /* canonical */
    char digest[SECRET_HASH_CHARS + 1];
};

/* Zeroed memory for `count` items of `size` bytes, freed with the model. Never NULL. */
void *model_alloc(struct model *model, size_t count, size_t size);

/* A copy with the model's lifetime. */
const char *model_keep(struct model *model, const struct text *t);

/* Fills by_name of the model, and fields_by_name of a class. */
void model_index_classes(struct model *model);
void model_index_fields(struct model *model, struct model_class *c);

/*
 * The following add to `problem`, on failure, the rest of a line that begins with the path of what
 * they read: ": expected a string, found null".
 */

/* Always ERR_TYPE. */
enum err model_wrong_kind(struct text *problem, const char *expected, struct json_span value);

/* ERR_TYPE, ERR_NOT_FOUND. */
_must_check_ enum err model_read_class(const struct model *model, struct json_span name,
                                       const struct model_class **out, struct text *problem);

/* ERR_TYPE, ERR_RANGE. *out is the caller's to free(). */
_must_check_ enum err model_read_id(const struct model_class *c, struct json_span value, char **out,
                                    struct text *problem);

/* Adds the canonical text of a request's value, or of a default, to *out. ERR_TYPE, ERR_RANGE,
 * ERR_MALFORMED. */
_must_check_ enum err model_add_value(const struct model *model, const struct model_field *field,
                                      struct json_span value, struct text *out,
                                      struct text *problem);
