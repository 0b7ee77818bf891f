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
    size_t ready;                              /* of these, while they are found */
    struct field_rule *first_rule, *last_rule; /* of fields (model_load_access.c) */
};

struct json_object *model_row_of(const struct loading *l, const struct model_class *c);

/* Makes *out the path of the row, with `rest` behind it. */
void model_class_path(struct text *out, const struct model_class *c, const char *rest);

/* Adds "path.member: what". */
void model_tell(struct loading *l, const char *path, const char *member, const char *what);

/* A member of `row`; NULL or false if it is absent, or wrong, which is told. */
const char *model_get_string(struct loading *l, struct json_object *row, const char *path,
                             const char *member, bool required);
bool model_get_flag(struct loading *l, struct json_object *row, const char *path,
                    const char *member);

/* The strings in an array, told of if it has none or holds something else, with a NULL behind. */
const char *const *model_get_words(struct loading *l, struct json_object *array, const char *path,
                                   const char *member);

/* The text of a value in the file. False: it is no JSON (json-c takes NaN). It lives until somebody
 * asks for that value's text again. */
bool model_get_text(struct json_object *value, struct json_span *out);

/* The class of this name, told of if there is none; `member` says where it stands. */
const struct model_class *model_find_class(struct loading *l, const char *path, const char *member,
                                           const char *name);

/* The field of this name, or NULL; `name` may be NULL. */
const struct model_field *model_find_field(const struct model_class *c, const char *name);

/* Are these all of a to-one's or list's targets: the class that stands for users, and no other? */
bool model_refers_to_users(const struct model *model, const struct model_field *field);

/* A letter or "_", then letters, digits, "_", or one of `more`. */
bool model_is_name(const char *name, const char *more);

/* Fills *field but for its name, which is there. `path` is that of `row`. */
void model_load_field(struct loading *l, struct json_object *row, const char *path,
                      struct model_field *field);

/* Who may do what with it is noted, to be read when the rules of all classes are there. */
void model_note_access(struct loading *l, const struct model_class *c, struct json_object *row,
                       const char *path, struct model_field *field);
void model_load_field_rules(struct loading *l);

/* Parts of that: a type, which is told of if it is none; "target", a class or an array of classes.
 */
bool model_load_type(struct loading *l, struct json_object *row, const char *path,
                     enum field_type *out);
void model_load_targets(struct loading *l, struct json_object *row, const char *path,
                        struct model_field *field);

/* What the server puts into the field. When the anchors of all classes are there: can it? */
void model_load_server(struct loading *l, struct json_object *row, const char *path,
                       struct model_field *field);
void model_check_server(struct loading *l, const struct model_class *owner,
                        const struct model_field *field, const char *path);

/* When all fields of all classes are there: does the other side of a to-many refer to `owner`? */
void model_check_to_many(struct loading *l, const struct model_class *owner,
                         const struct model_field *field, const char *path);

/* When all fields of the class and the rules of its parent are there. Anchors of all classes come
 * before rules. */
void model_load_anchor(struct loading *l, struct model_class *c);
void model_load_rules(struct loading *l, struct model_class *c);

/* A rule for what is done to no object: who signs in, unless "run" says otherwise. */
void model_load_run(struct loading *l, const struct model_class *c, struct json_object *row,
                    const char *path, struct model_rule *rule);

/* When all fields of the class and the indexes of its parent are there. */
void model_load_indexes(struct loading *l, struct model_class *c);

/* The concrete ones among these and their descendants, by name, NULL-terminated. */
const struct model_class *const *model_concrete_of(struct model *model,
                                                   const struct model_class *const *classes);

/* Tells of each of the classes that not everyone who signs in may read: "path: ..., and `shown`".
 */
void model_check_readable(struct loading *l, const struct model_class *const *classes,
                          const char *path, const char *shown);

/* Tells of a to-many that would show in whom else's hidden fields the object stands. */
void model_check_shown(struct loading *l, const struct model_field *field, const char *path);

/* When the rules of all classes are there, and what its parent has of these. */
void model_load_summary(struct loading *l, struct model_class *c);
void model_load_children(struct loading *l, struct model_class *c);

/* When everything of the classes is there. */
void model_load_listings(struct loading *l);
void model_load_entries(struct loading *l);

/* When everything of the model is there, and right. */
void model_load_watchers(struct loading *l);
void model_load_queries(struct loading *l);
