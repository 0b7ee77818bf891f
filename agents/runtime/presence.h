#pragma once

#include "agents/runtime/work.h"

/*
 * presence - every agent tells the store, again and again, that it runs and which model it serves.
 *
 * So the store knows the model that was applied last (the first agent of an empty store applies
 * its own), no migration begins beside agents that would write by another model, and an index that
 * some agent does not maintain is not used (lua/model.lua).
 *
 * Threads: shared by all workers of an agent, each of which may call it.
 */

struct presence;

/* For one agent, which is borrowed. Never NULL. */
struct presence *presence_create(const struct agent *agent);
void presence_destroy(struct presence *presence);

/* An agent that was silent for longer is gone. */
int64_t presence_patience_ms(const struct agent *agent);

/*
 * The look for work that every worker takes again and again: tells the store, if that is due, and
 * goes on with what the agent's definition looks for. A warning is logged the first time that the
 * applied model turns out to be another one.
 */
work_fn presence_poll;
