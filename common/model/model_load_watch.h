#pragma once

#include "common/model/model_load.h"
#include "common/model/model_watch.h"

/*
 * model_load_watch - what the files share that read watchers and queries: model_load_watch.c (the
 * watchers of a class, and what each names of others), model_load_query.c, model_load_step.c (ways
 * along relations, of rules too), model_load_term.c (fields of what was reached),
 * model_load_where.c (conditions, orders), model_load_params.c, model_load_readers.c (who may see
 * what a watcher reads).
 *
 * `classes` are concrete ones, by name, NULL-terminated: what was reached.
 */

/* Makes *out "<path>.<member>[<i>]". */
void model_item_path(struct text *out, const char *path, const char *member, size_t i);

/* An array, which may be absent: then, and where it is something else, there are no items. */
struct json_object *model_get_items(struct loading *l, struct json_object *row, const char *path,
                                    const char *member, size_t *count);

/* Item `i`, whose path this is; NULL: it is no object, which is told. */
struct json_object *model_get_row(struct loading *l, struct json_object *items, size_t i,
                                  const char *path, const char *const *members);

/*
 * The field `name` of these classes. False, with a line that begins with `path`: no class has it,
 * or they do not agree on its type.
 */
bool model_load_term(struct loading *l, const struct model_class *const *classes, const char *name,
                     const char *path, struct model_term *out);

/* The same of what `find` knows by out->name; it fills the origin but for the class. */
typedef bool model_origin_fn(void *arg, const struct model_class *c, const char *name,
                             struct model_origin *out);
bool model_load_term_by(struct loading *l, const struct model_class *const *classes,
                        const char *path, struct model_term *out, model_origin_fn *find, void *arg);

/* Is there something to show: any field but a to-many that is not listed? */
bool model_is_shown(const struct model_field *field);

/* Finds out who may see all that the watcher reads, when the rest of it is there. */
void model_find_readers(struct model_watcher *watcher);

/* A way along relations, which begins at the classes `reached`, and then leads to them. */
struct model_way {
    struct loading *l;
    const struct model_class *const *reached; /* so far; NULL: a step was wrong, which is told */
    struct model_step *steps;
    size_t count;
    bool many; /* may one object lead to several? */
};

/* Goes along the steps in the array `member` of the row, whose path this is; their number there. */
size_t model_load_way(struct model_way *way, struct json_object *row, const char *path,
                      const char *member);

/* `path` is that of `row`. */
void model_load_params(struct loading *l, struct json_object *row, const char *path,
                       struct model_params *out);
const struct model_condition *model_load_where(struct loading *l, struct json_object *row,
                                               const char *path, const struct model_params *params,
                                               const struct model_class *const *classes,
                                               size_t *count);
const struct model_order *model_load_order(struct loading *l, struct json_object *row,
                                           const char *path,
                                           const struct model_class *const *classes, size_t *count);
