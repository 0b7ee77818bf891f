#include "agents/sync/host/host.h"

#include <stdlib.h>
#include <string.h>

#include "agents/sync/host/host_link.h"
#include "agents/sync/host/plugin.h"
#include "agents/sync/processes/declared.h"

static const struct connector *const connectors[] = {&connector_http, &connector_sql, NULL};

struct host {
    const struct agent *agent;
    const struct declared *declared;
    struct served *served;
    size_t count;
    struct host_link *link;
};

/* ---- Loading ---- */

/* The first process that a connector runs; NULL: none is declared. */
static const struct process *first_of(const struct host *host, const struct connector *connector)
{
    const size_t size = strlen(connector->prefix);

    for (size_t i = 0; i < declared_count(host->declared); i++) {
        const struct process *process = declared_at(host->declared, i);

        if (!strncmp(process->name, connector->prefix, size) && process->name[size] == ':')
            return process;
    }
    return NULL;
}

static void add(struct host *host, const struct process *process, const struct connector *connector,
                void *own)
{
    host->served[host->count++] = (struct served){
        .queue = process->queue, .connector = connector, .own = own, .threads = process->threads};
}

static enum err load_connector(struct host *host, const struct connector *connector,
                               struct text *problems)
{
    const struct process *process = first_of(host, connector);
    struct json_object *section = declared_section(host->declared, connector->section);
    void *own = NULL;
    enum err e;

    if (!process)
        return ERR_OK;
    e = connector->load(host->declared, section, &own, problems);
    if (!e)
        add(host, process, connector, own);
    return e;
}

static enum err load_plugin(struct host *host, const struct process *process, struct text *problems)
{
    struct plugin *plugin = NULL;
    enum err e = ERR_OK;

    if (process->plugin)
        e = plugin_load(host->agent, process, &plugin, problems);
    if (plugin)
        add(host, process, &connector_plugin, plugin);
    return e;
}

static enum err worse(enum err a, enum err b)
{
    return a ? a : b;
}

enum err host_load(const struct agent *agent, const struct declared *declared, struct host **out,
                   struct text *problems)
{
    struct host *host = calloc(1, sizeof(*host));
    enum err e = ERR_OK;

    if (!host || !(host->served = calloc(declared_count(declared) + 1, sizeof(*host->served))))
        err_out_of_memory();
    host->agent = agent;
    host->declared = declared;
    for (size_t i = 0; connectors[i]; i++)
        e = worse(e, load_connector(host, connectors[i], problems));
    for (size_t i = 0; i < declared_count(declared); i++)
        e = worse(e, load_plugin(host, declared_at(declared, i), problems));
    if (!e && host->count)
        *out = host;
    else
        host_destroy(host);
    return e;
}

void host_destroy(struct host *host)
{
    if (!host)
        return;
    for (size_t i = 0; i < host->count; i++)
        if (!host->served[i].in_use)
            host->served[i].connector->unload(host->served[i].own);
    free(host->served);
    free(host);
}

/* ---- Start and stop ---- */

enum err host_start(struct host *host)
{
    return host_link_start(host->agent, host->declared, host->served, host->count, &host->link);
}

void host_stop(struct host *host)
{
    if (host->link)
        host_link_stop(host->link);
    host->link = NULL;
}
