#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * standing - how an agent stands: which of its workers move and have their links, whether it stops;
 * and who is told of that: the status port (common/process/status.h) and the service manager
 * (common/process/service.h).
 *
 * An agent is ready when all of its workers are linked to broker and Redis, and what it has beside
 * them is there, until it stops.
 *
 * Threads: standing_turned() belongs to each worker, the others to the thread that runs the agent.
 */

struct agent;
struct service;
struct standing;

/* Opens the status port, if there is to be one, and tells the service manager, if there is one.
 * `agent` is borrowed, with its metrics. */
_must_check_ enum err standing_start(struct agent *agent, struct standing **out);

/* Ends both; NULL is allowed. */
void standing_end(struct standing *s);

/* The worker of this number, the first of which is 1, does not stand still. */
void standing_turned(struct standing *s, unsigned worker);

/* Who is told of reloads; NULL: nobody. Borrowed. */
struct service *standing_service(const struct standing *s);

/* The agent takes no new requests any more. */
void standing_stops(struct standing *s);
