#pragma once

#include <stddef.h>

#include "agents/sync/watchers/watched.h"
#include "common/redis/redis_link.h"

/*
 * walk - a watched value computed: from its object along the steps of the watcher, then of what was
 * reached the texts that conditions, order and value need, then the value. No input, no output:
 *
 *     struct walk *walk = walk_create(model, watched, most);
 *     while (walk_next(walk, call) == WALK_READ) -> run the call (watch_read.lua), then
 *         walk_take(walk, reply);
 *     walk_value(walk)
 *
 * What the watcher names as its field may be a watcher itself; then walks from all that was reached
 * are made at once, and their values are the texts.
 */

struct walk;

enum walk_next {
    WALK_READ, /* the reads were added to the call, behind watch_read.lua's other arguments */
    WALK_DONE,
    WALK_TOO_MANY /* beyond the limits */
};

struct walk_limits {
    size_t objects; /* each as often as it is come to */
    size_t bytes;   /* of the texts that are looked at, and of the value */
};

/* `watched` is borrowed. Never NULL. */
struct walk *walk_create(const struct model *model, const struct watched *watched,
                         const struct walk_limits *limits);
void walk_destroy(struct walk *walk);

enum walk_next walk_next(struct walk *walk, struct redis_call *call);

/* What the script has replied, without its first word. */
void walk_take(struct walk *walk, const struct redis_reply *reply);

/* JSON as clients are told it (spec 3.7), after WALK_DONE. */
const char *walk_value(const struct walk *walk);
