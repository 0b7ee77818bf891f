#pragma once

#include <stddef.h>

#include "common/base/text.h"
#include "common/model/model_watch.h"
#include "common/redis/redis_link.h"

/* reached - where a walk (walk.h) has come, from which of the objects that it began at. */

struct place {
    size_t root; /* the number of that object */
    char *ref;
};

struct places {
    struct place *at;
    size_t count, room;
};

void places_add(struct places *places, size_t root, const char *ref);
void places_deinit(struct places *places);

/* What was reached twice from one root counts once. */
void places_unite(struct places *places);

/* An object for which all conditions hold, and what the value needs of it. */
struct found {
    size_t root;
    char *ref;
    const struct model_class *class_;
    char **order;                      /* the texts of the order's terms; NULL: null */
    char *text;                        /* of the watcher's field; NULL: null, or none */
    const struct model_watcher *inner; /* the text is the value of this, and not known yet */
};

/* What one watcher finds. */
struct founds {
    const struct model *model;
    const struct model_watcher *watcher;
    const struct model_args *args;
    struct found *at;
    size_t count, room;
    size_t bytes; /* of the texts that it was given so far */
};

void founds_deinit(struct founds *founds);

/* Adds what is at the place, if the conditions hold. `texts` are those of model_watcher_columns(),
 * in its order, "" where there is none. */
void founds_take(struct founds *founds, const struct place *place, const struct redis_reply *texts);

/* Puts them into their order. Of a WATCH_FIRST only the first of each root stays. */
void founds_rank(struct founds *founds);

/* A watcher whose values some of them need; NULL: none. */
const struct model_watcher *founds_inner(const struct founds *founds);
void found_set(struct founds *founds, struct found *found, const char *text);

/* Adds the value that those of one root make. */
void founds_add_value(struct text *out, const struct founds *founds, size_t root);
