#include "agents/runtime/standing.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/metrics.h"
#include "common/base/clock.h"
#include "common/process/service.h"
#include "common/process/status.h"

struct standing {
    const struct agent *agent;
    struct status *status;
    struct service *service;
    atomic_bool stopping;
    size_t workers;
    atomic_int_least64_t turned_ms[]; /* when each worker was seen last; clock_mono_ms() */
};

static void stands_still(const void *arg, struct text *out)
{
    const struct standing *s = arg;
    const int64_t now_ms = clock_mono_ms();

    for (size_t i = 0; i < s->workers; i++)
        if (now_ms - atomic_load(&s->turned_ms[i]) > STATUS_STILL_MS)
            text_addf(out, "standing still: worker %zu\n", i + 1);
}

static void add_missing(const struct standing *s, enum figure link, const char *what,
                        struct text *out)
{
    const int64_t up = metrics_get(s->agent->metrics, link);

    if (up < (int64_t)s->workers)
        text_addf(out, "missing: %s, for %" PRId64 " of %zu workers\n", what,
                  (int64_t)s->workers - up, s->workers);
}

static void missing(const void *arg, struct text *out)
{
    const struct standing *s = arg;

    add_missing(s, FIGURE_BROKER_UP, "broker", out);
    add_missing(s, FIGURE_REDIS_UP, "redis", out);
    if (s->agent->definition->missing)
        s->agent->definition->missing(s->agent, out);
    if (atomic_load(&s->stopping))
        text_add(out, "stopping\n");
}

static void figures(const void *arg, struct text *out)
{
    const struct agent *agent = ((const struct standing *)arg)->agent;

    metrics_print(agent->metrics, out);
    if (agent->own_metrics)
        metrics_print(agent->own_metrics, out);
}

enum err standing_start(struct agent *agent, struct standing **out)
{
    const struct settings *settings = &agent->proc.settings;
    const size_t workers = (size_t)settings->agent_workers;
    struct standing *s = calloc(1, sizeof(*s) + workers * sizeof(*s->turned_ms));
    const struct status_source source = {stands_still, missing, figures, s};
    enum err e;

    if (!s)
        return ERR_NOMEM;
    s->agent = agent;
    s->workers = workers;
    for (size_t i = 0; i < workers; i++)
        atomic_store(&s->turned_ms[i], clock_mono_ms());
    metrics_set(agent->metrics, FIGURE_WORKERS, (int64_t)workers);
    *out = s;
    e = status_start(settings->status_host, (uint16_t)settings->status_port, &source, &s->status);
    return e ? e : service_start(&source, &s->service);
}

void standing_end(struct standing *s)
{
    if (!s)
        return;
    service_end(s->service);
    status_stop(s->status);
    free(s);
}

void standing_turned(struct standing *s, unsigned worker)
{
    atomic_store_explicit(&s->turned_ms[worker - 1], clock_mono_ms(), memory_order_relaxed);
}

struct service *standing_service(const struct standing *s)
{
    return s->service;
}

void standing_stops(struct standing *s)
{
    atomic_store(&s->stopping, true);
    service_stopping(s->service);
}
