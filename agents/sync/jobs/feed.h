#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agents/runtime/work.h"
#include "agents/sync/stored.h"

/*
 * feed - the change feed: every committed change of an object, for whoever keeps a copy of the data
 * elsewhere. Its contract stands in deploy/example/feed/README.md.
 *
 * A fan-out publishes its change once, with the first messages that go out, and goes on only when
 * the broker has it: a worker that dies before that leaves the job to another one. So each change
 * is told at least once, in the newest state that the object has by then.
 *
 * Off (sync.change_feed), nothing of this happens, and the exchange need not be there.
 */

#define FEED_EXCHANGE "changes" /* topic, durable; declared by the agents */

/* What the agent's workers declare; nothing while the feed is off. */
const char *const *feed_exchanges(const struct agent *agent);

/* What a fan-out knows. */
struct feed_change {
    struct stored_ref ref;
    bool removed;
    int64_t since;   /* the version that the change has made */
    int64_t version; /* the newest one, that of the fields */
    const struct redis_reply *fields;
};

/* Adds the change to work's messages. */
void feed_add(struct work *work, const struct feed_change *change);

/* After WORK_PUBLISH: has the broker taken it, if it was among the messages? */
bool feed_is_taken(const struct work *work);
