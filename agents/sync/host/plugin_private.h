#pragma once

#include "agents/plugins/activestack_plugin.h"
#include "agents/sync/host/plugin.h"

/*
 * plugin_private - what the files of plugin share: plugin.c loads modules, plugin_call.c is what
 * they may do during a call.
 */

struct plugin {
    const struct agent *agent;
    void *module;
    const struct activestack_plugin *said;
};

/* plugin_call.c: the connector's functions. `own` is a struct plugin. */
void *plugin_open(void *own);
void plugin_run(void *own, void *thread, const struct call *call, struct answer *answer);
void plugin_close(void *thread);
