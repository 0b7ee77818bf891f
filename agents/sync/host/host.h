#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * host - the part of the sync agent that runs processes: connectors and plug-ins, each in threads
 * of its own (host_link.h), so that a slow one delays nothing else. Setting process.host turns it
 * off.
 *
 *   host.c       what is to be served: connectors and plug-ins are loaded
 *   host_link.c  the thread that talks to the broker
 *   tickets.c    what it knows of each call
 *   lane.c       the threads of one queue
 *   executor.c   one of them
 *   task.c       a call, from the message to its answer
 *   plugin.c     shared modules; plugin_call.c is what they may do
 */

struct agent;
struct declared;
struct host;

/* Loads what is declared; both are borrowed. ERR_CONFIG: all mistakes are in `problems`. *out is
 * NULL if there is nothing to run. */
_must_check_ enum err host_load(const struct agent *agent, const struct declared *declared,
                                struct host **out, struct text *problems);

/* After the end. NULL is allowed. */
void host_destroy(struct host *host);

_must_check_ enum err host_start(struct host *host);
void host_stop(struct host *host);
