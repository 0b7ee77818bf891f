#pragma once

#include <stdatomic.h>

#include "agents/runtime/agent.h"

/*
 * own - what the sync agent has beyond settings and model, in agent->own: read before any thread
 * starts, the same for all of its workers, but for its atomics.
 */

struct declared;
struct host;

struct sync_own {
    struct declared *declared;     /* the processes that may run */
    struct host *host;             /* of those that run here; NULL: none do */
    atomic_int_least64_t tally_ms; /* when the store is looked at again; see operator/tally.h */
};

/* The hooks of the agent's definition. */
_must_check_ enum err sync_own_load(struct agent *agent, struct text *problems);
void sync_own_unload(struct agent *agent);
void sync_own_queues(const struct agent *agent, struct queues *queues);
_must_check_ enum err sync_own_start(struct agent *agent);
void sync_own_stop(struct agent *agent);
void sync_own_missing(const struct agent *agent, struct text *out);

const struct declared *declared_of(const struct agent *agent);
