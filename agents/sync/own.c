#include "agents/sync/own.h"

#include <stdlib.h>

#include "agents/sync/host/host.h"
#include "agents/sync/metrics.h"
#include "agents/sync/processes/declared.h"

enum err sync_own_load(struct agent *agent, struct text *problems)
{
    const struct settings *settings = &agent->proc.settings;
    struct sync_own *own = calloc(1, sizeof(*own));
    enum err e;

    if (!own)
        err_out_of_memory();
    agent->own = own;
    e = declared_load(settings->process_file, &own->declared, problems);
    if (!e && settings->process_host)
        e = host_load(agent, own->declared, &own->host, problems);
    return e;
}

void sync_own_unload(struct agent *agent)
{
    struct sync_own *own = agent->own;

    if (!own)
        return;
    host_destroy(own->host);
    declared_destroy(own->declared);
    free(own);
    agent->own = NULL;
}

void sync_own_queues(const struct agent *agent, struct queues *queues)
{
    const struct declared *declared = declared_of(agent);

    for (size_t i = 0; i < declared_queue_count(declared); i++)
        queues_add(queues,
                   &(struct amqp_queue){.name = declared_queue_at(declared, i), .quorum = true});
}

enum err sync_own_start(struct agent *agent)
{
    const struct sync_own *own = agent->own;

    return own->host ? host_start(own->host) : ERR_OK;
}

void sync_own_stop(struct agent *agent)
{
    const struct sync_own *own = agent->own;

    if (own->host)
        host_stop(own->host);
}

void sync_own_missing(const struct agent *agent, struct text *out)
{
    const struct sync_own *own = agent->own;

    if (own->host && !metrics_get(agent->own_metrics, HOST_BROKER_UP))
        text_add(out, "missing: broker, for connectors and plug-ins\n");
}

const struct declared *declared_of(const struct agent *agent)
{
    const struct sync_own *own = agent->own;

    return own->declared;
}
