#include "agents/runtime/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/children.h"
#include "agents/runtime/metrics.h"
#include "agents/runtime/presence.h"
#include "agents/runtime/standing.h"
#include "agents/runtime/worker.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/process/service.h"

/* What is read before anything starts. Tells of every mistake on standard error. */
static enum err load(struct agent *agent)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    const struct settings *settings = &agent->proc.settings;
    const struct redis_config redis = settings_redis(settings);
    enum err e = secret_init();

    if (!e)
        e = redis_config_check(&redis, &problems);
    if (!e)
        e = model_load_limited(settings->model_file, settings->sync_max_path_objects, &agent->model,
                               &problems);
    if (!e && agent->definition->load)
        e = agent->definition->load(agent, &problems);
    if (e)
        fprintf(stderr, "%s", problems.size ? problems.at : err_text(e));
    snprintf(agent->name, sizeof(agent->name), "%s@%s",
             program_name(agent->definition->program) + strlen("activestack-"),
             *settings->agent_name ? settings->agent_name : agent->proc.host);
    return e;
}

const struct handler *agent_handler(const struct agent *agent, const char *operation)
{
    for (size_t i = 0; i < agent->definition->handler_count; i++)
        if (!strcmp(agent->definition->handlers[i].operation, operation))
            return &agent->definition->handlers[i];
    return NULL;
}

static enum err start_beside(struct agent *agent)
{
    return agent->definition->start ? agent->definition->start(agent) : ERR_OK;
}

static void stop_beside(struct agent *agent)
{
    if (agent->definition->stop)
        agent->definition->stop(agent);
}

static enum err reload(void *arg, const struct settings *read, struct text *problems)
{
    struct agent *agent = arg;

    (void)read;
    return agent->definition->reload ? agent->definition->reload(agent, problems) : ERR_OK;
}

static void reload_until_stop(struct agent *agent)
{
    struct service *service = standing_service(agent->standing);

    while (proc_wait(&agent->proc) == PROC_RELOAD) {
        service_reloading(service);
        proc_reload(&agent->proc, reload, agent);
        service_reloaded(service);
    }
}

/* Runs beside what the definition has started, until the process is to stop. */
static enum err run_workers(struct agent *agent)
{
    size_t count = (size_t)agent->proc.settings.agent_workers, started = 0;
    struct worker **workers = calloc(count, sizeof(*workers));
    enum err e = workers ? ERR_OK : ERR_NOMEM;

    while (!e && started < count) {
        e = worker_start(agent, (unsigned)started + 1, &workers[started]);
        if (!e)
            started++;
    }
    if (e) {
        log_error("agent.failed", LOG_ERR(e));
    } else {
        log_info("agent.started", LOG_STR("name", agent->name), LOG_I64("workers", count));
        reload_until_stop(agent);
        log_info("agent.stopping", LOG_STR("name", agent->name));
        standing_stops(agent->standing);
    }
    stop_beside(agent);
    for (size_t i = 0; i < started; i++)
        worker_stop(workers[i]);
    for (size_t i = 0; i < started; i++)
        worker_join(workers[i]);
    free(workers);
    return e;
}

/* Runs the workers, with all that they share. */
static enum err serve(struct agent *agent)
{
    enum err e;

    agent->presence = presence_create(agent);
    agent->children = children_create(agent->model);
    e = start_beside(agent);
    if (e)
        log_error("agent.failed", LOG_ERR(e));
    else
        e = run_workers(agent);
    children_destroy(agent->children);
    presence_destroy(agent->presence);
    return e;
}

/* The status port is there first, and goes last. */
static enum err serve_in_sight(struct agent *agent)
{
    const struct metrics_table *own = agent->definition->metrics;
    enum err e;

    agent->metrics = agent_metrics_create(agent->definition);
    agent->own_metrics = own ? metrics_create(own, NULL) : NULL;
    e = standing_start(agent, &agent->standing);
    if (!e)
        e = serve(agent);
    standing_end(agent->standing);
    metrics_destroy(agent->own_metrics);
    metrics_destroy(agent->metrics);
    return e;
}

int agent_main(const struct agent_definition *definition, int argc, char **argv)
{
    const struct metrics_table *const metrics[] = {&agent_metrics, definition->metrics, NULL};
    const struct proc_about about = {definition->program, definition->help, metrics};
    struct agent agent = {.definition = definition};
    int exit_code;
    enum err e;

    if (!proc_start(&agent.proc, &about, argc, argv, &exit_code))
        return exit_code;
    e = load(&agent);
    if (!e)
        e = serve_in_sight(&agent);
    if (definition->unload)
        definition->unload(&agent);
    model_destroy(agent.model);
    proc_end(&agent.proc);
    return e ? 1 : 0;
}
