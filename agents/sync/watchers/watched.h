#pragma once

#include <stdbool.h>

#include "agents/runtime/work.h"
#include "agents/sync/pushes/push.h"
#include "common/model/model_watch.h"

/* watched - a value by its item; see watchers.h. */

struct watched {
    struct text item;
    struct text ref;                  /* of the object */
    struct text name, params;         /* as they are in the item */
    struct text sid;                  /* with whose rights it is computed; empty: it needs none */
    const struct model_class *class_; /* of the object */
    const struct model_watcher *watcher;
    struct model_args args;
};

/* Takes the item apart. False: the model does not know it (any more), or has each session have its
 * own, which another model had not. The caller deinits either. */
bool watched_read(struct watched *out, const struct model *model, const char *item);
void watched_deinit(struct watched *watched);

/* Adds the members of a PushCWUpdateResponse (spec 3.7). `params` is what they are told as; NULL:
 * as they are in the item. */
void watched_add_members(struct text *out, const struct watched *watched, struct json_span params,
                         const char *value);

/* A push that tells of the value (design section 9); empty if the model does not know it. The
 * caller deinits it. */
void watched_push(struct push *push, const struct model *model, const char *item, const char *value,
                  int64_t number);
