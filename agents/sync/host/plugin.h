#pragma once

#include "agents/sync/host/connector.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * plugin - shared modules that run processes (agents/plugins/activestack_plugin.h is what they
 * know of us).
 *
 * Ownership: a module stays loaded as long as one struct plugin of it; one whose thread was given
 * up is never destroyed.
 */

struct agent;
struct plugin;
struct process;

/* Loads <process.plugin_dir>/<process->plugin>.so. ERR_CONFIG: `problems` says why, in a line.
 * `agent` is borrowed. */
_must_check_ enum err plugin_load(const struct agent *agent, const struct process *process,
                                  struct plugin **out, struct text *problems);
void plugin_destroy(struct plugin *plugin);

/* Runs the calls of a struct plugin, its `own`. No queue has its prefix. */
extern const struct connector connector_plugin;
