#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agents/sync/host/lane.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * host_link - the host's one thread that talks to the broker: it takes calls from the queues of all
 * lanes, hands them to these, publishes what they answer, and acknowledges a call when the broker
 * has its answer.
 *
 * What becomes of a call:
 *   - answered: the answer is published; confirmed: acknowledged;
 *   - its thread does not come back by the deadline and HOST_GRACE_MS: acknowledged without an
 *     answer, since nobody waits for one any more; its lane has a thread less, or a new one;
 *   - the connection is lost: it runs on. It comes again, and if that is here, and before the
 *     broker has its answer, it is known and not run twice.
 *
 * A lane that is used up gives its consumer up, and what waits for it goes back to the queue.
 */

#define HOST_GRACE_MS 1000 /* for a connector that comes back late */

struct agent;
struct declared;
struct host_link;

/* What to serve: a queue, and who runs what comes from it. */
struct served {
    const char *queue;
    const struct connector *connector;
    void *own; /* the connector's */
    unsigned threads;
    bool in_use; /* after the end: by a thread that did not come back */
};

/* Starts the threads. All is borrowed until the link has stopped. ERR_CONFIG, ERR_IO, ERR_NOMEM. */
_must_check_ enum err host_link_start(const struct agent *agent, const struct declared *declared,
                                      struct served *served, size_t count, struct host_link **out);

/* Takes nothing more, waits a while for what runs, and ends the threads. */
void host_link_stop(struct host_link *link);
