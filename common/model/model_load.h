#pragma once

#include "common/model/model_internal.h"

/*
 * model_load - what model_load.c and model_load_*.c share while a file becomes a model.
 *
 * A mistake is told with its path and loading goes on with something harmless, so that one run
 * tells them all.
 */

struct loading {
    struct model *model;
    struct text *problems;     /* a line for each mistake */
    struct json_object **rows; /* of each class, in the order of model->classes */
    struct model_class **parents_first;
    size_t ready; /* of these, while they are found */
};

struct json_object *model_row_of(const struct loading *l, const struct model_class *c);

/* Makes *out the path of the row, with `rest` behind it. */
void model_class_path(struct text *out, const struct model_class *c, const char *rest);

/* Adds "path.member: what". */
void model_tell(struct loading *l, const char *path, const char *member, const char *what);

/* A member of `row`; NULL or false if it is absent, or wrong, which is told.
 */
const char *model_get_string(struct loading *l, struct json_object *row, const char *path,
                             const char *member, bool required);
bool model_get_flag(struct loading *l, struct json_object *row, const char *path,
                    const char *member);

/* The strings in an array, told of if it has none or holds something else, with a NULL behind. */
const char *const *model_get_words(struct loading *l, struct json_object *array, const char *path,
                                   const char *member);

/* A letter or "_", then letters, digits, "_", or one of `more`. */
bool model_is_name(const char *name, const char *more);

/* Fills *field but for its name, which is there. `path` is that of `row`. */
void model_load_field(struct loading *l, struct json_object *row, const char *path,
                      struct model_field *field);

/* When all fields of all classes are there: does the other side of a to-many refer to `owner`? */
void model_check_to_many(struct loading *l, const struct model_class *owner,
                         const struct model_field *field, const char *path);

/* When all fields of the class and the rules of its parent are there. Anchors of all classes come
 * before rules. */
void model_load_anchor(struct loading *l, struct model_class *c);
void model_load_rules(struct loading *l, struct model_class *c);

/* When all fields of the class and the indexes of its parent are there. */
void model_load_indexes(struct loading *l, struct model_class *c);

/* When everything else is there. */
void model_load_listings(struct loading *l);
