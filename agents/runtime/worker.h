#pragma once

#include "agents/runtime/agent.h"

/*
 * worker - one thread of an agent: takes what has arrived, runs the calls of all its works in one
 * pipeline, publishes, acknowledges. Alone a request waits for nobody; under load batches form by
 * themselves.
 *
 * Threads: everything belongs to the worker's own thread; only worker_stop() may be called from
 * another.
 */

struct worker;

/* Starts the thread; `agent` is borrowed until worker_join(). ERR_CONFIG, ERR_IO, ERR_NOMEM. */
_must_check_ enum err worker_start(const struct agent *agent, unsigned number, struct worker **out);

/* Asks it to finish what it has begun and to end. */
void worker_stop(struct worker *worker);

/* Waits for its end and frees it. */
void worker_join(struct worker *worker);
