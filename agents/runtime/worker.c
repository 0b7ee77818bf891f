#include "agents/runtime/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "agents/runtime/aside.h"
#include "agents/runtime/metrics.h"
#include "agents/runtime/standing.h"
#include "agents/runtime/works.h"
#include "common/base/clock.h"
#include "common/thread/wake.h"

#define STOP_PATIENCE_MS 10000
#define RETRY_MS         10 /* while Redis is away or the broker's socket is full */
#define IDLE_MS          1000
#define MOST_ROUNDS      8 /* to Redis, before the broker is looked at again */

struct worker {
    const struct agent *agent;
    pthread_t thread;
    atomic_bool stopping;
    struct wake *wake;
    unsigned number;
    struct works works; /* and both links, which are the worker's */
    int64_t next_poll_ms;
};

/* ---- What the broker tells ---- */

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    works_take(arg, m, tag, redelivered);
}

static void on_refused(void *arg, const char *queue)
{
    const struct works *works = arg;

    agent_metrics_oversized(works->agent->metrics, queue);
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    works_told(arg, number, outcome);
}

static void on_counted(void *arg, const char *queue, int64_t consumers)
{
    works_counted(arg, queue, consumers);
}

static void on_up(void *arg)
{
    works_link_up(arg);
}

static void on_down(void *arg)
{
    works_link_down(arg);
}

/* ---- The thread ---- */

/* What is found could not be sent while the broker is away. */
static bool may_poll(const struct worker *worker)
{
    return !worker->works.polling && amqp_link_is_up(worker->works.amqp) &&
           !atomic_load(&worker->stopping);
}

static void poll_if_due(struct worker *worker)
{
    int64_t now = clock_mono_ms();

    if (!may_poll(worker) || now < worker->next_poll_ms)
        return;
    worker->next_poll_ms = now + worker->agent->proc.settings.sync_poll_ms;
    works_poll(&worker->works);
}

static int sleep_ms(const struct worker *worker)
{
    int64_t left = IDLE_MS;

    if (worker->works.calls.count)
        return worker->works.redis_away ? RETRY_MS : 0;
    if (worker->works.outbox.count || worker->works.counts.unasked.count)
        return RETRY_MS;
    if (may_poll(worker))
        left = worker->next_poll_ms - clock_mono_ms();
    return left < 0 ? 0 : (int)(left < IDLE_MS ? left : IDLE_MS);
}

/* Steps follow each other at once, but the broker waits meanwhile: a work of many steps must not
 * keep requests and heartbeats from being read. */
static void turn(struct worker *worker)
{
    size_t rounds = 0;
    uint64_t tag;

    standing_turned(worker->agent->standing, worker->number);
    amqp_link_turn(worker->works.amqp, wake_fd(worker->wake), sleep_ms(worker));
    wake_drain(worker->wake);
    works_take_aside(&worker->works);
    poll_if_due(worker);
    do {
        works_run_calls(&worker->works);
        works_flush(&worker->works);
    } while (worker->works.calls.count && !worker->works.redis_away && ++rounds < MOST_ROUNDS);
    if ((tag = acks_take(&worker->works.acks)))
        amqp_link_ack(worker->works.amqp, tag, true);
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    int64_t patience_ends;

    while (!atomic_load(&worker->stopping))
        turn(worker);
    amqp_link_stop_consuming(worker->works.amqp);
    patience_ends = clock_mono_ms() + STOP_PATIENCE_MS;
    while (worker->works.all && amqp_link_is_up(worker->works.amqp) &&
           clock_mono_ms() < patience_ends)
        turn(worker);
    return NULL;
}

/* Queues of all operations that the agent serves, each under its own name, and further ones. */
static void find_queues(const struct agent *agent, struct queues *queues)
{
    for (size_t i = 0; i < operation_count; i++) {
        const struct operation *o = &operations[i];
        const struct handler *handler = agent_handler(agent, o->name);

        if (o->agent == agent->definition->serves && !o->served_by_name)
            queues_add(queues,
                       &(struct amqp_queue){.name = o->name,
                                            .consume = true,
                                            .tells_oversized = handler && handler->any_body});
    }
    if (agent->definition->queues)
        agent->definition->queues(agent, queues);
}

static enum err connect_links(struct worker *worker, unsigned number)
{
    const struct agent *agent = worker->agent;
    const struct settings *settings = &agent->proc.settings;
    const struct redis_config redis = settings_redis(settings);
    struct queues queues = {0};
    char name[320];
    struct amqp_link_config config = {
        .url = settings->amqp_url,
        .tls = settings_amqp_tls(settings),
        .connection_name = name,
        .consumer_tag = name,
        .heartbeat_s = (uint16_t)settings->amqp_heartbeat_s,
        .prefetch = (uint16_t)settings->agent_prefetch,
        .exchanges = agent->definition->exchanges ? agent->definition->exchanges(agent) : NULL,
        .events = {.up = on_up,
                   .down = on_down,
                   .delivery = on_delivery,
                   .refused = on_refused,
                   .outcome = on_outcome,
                   .counted = on_counted},
        .arg = &worker->works,
    };
    enum err e;

    snprintf(name, sizeof(name), "%s#%u", agent->name, number);
    find_queues(agent, &queues);
    config.queues = queues.at;
    config.queue_count = queues.count;
    e = amqp_link_create(&config, &worker->works.amqp);
    queues_deinit(&queues);
    if (!e)
        e = redis_link_create(&redis, name, &worker->works.redis);
    return e;
}

static void wake(void *arg)
{
    wake_signal(arg);
}

static enum err start_aside(struct worker *worker)
{
    const struct agent_definition *d = worker->agent->definition;
    const struct aside_config config = {.threads =
                                            d->threads_aside ? d->threads_aside(worker->agent) : 0,
                                        .open = d->open_aside,
                                        .close = d->close_aside,
                                        .wake = wake,
                                        .arg = worker->wake};

    return config.threads ? aside_start(&config, &worker->works.aside) : ERR_OK;
}

static void worker_destroy(struct worker *worker)
{
    works_deinit(&worker->works);
    aside_destroy(worker->works.aside);
    amqp_link_destroy(worker->works.amqp);
    redis_link_destroy(worker->works.redis);
    wake_destroy(worker->wake);
    free(worker);
}

enum err worker_start(const struct agent *agent, unsigned number, struct worker **out)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    enum err e;

    if (!worker)
        return ERR_NOMEM;
    worker->agent = agent;
    worker->number = number;
    worker->works.agent = agent;
    e = wake_create(&worker->wake);
    if (!e)
        e = connect_links(worker, number);
    if (!e)
        e = start_aside(worker);
    if (!e && pthread_create(&worker->thread, NULL, run, worker))
        e = ERR_IO;
    if (e) {
        worker_destroy(worker);
        return e;
    }
    *out = worker;
    return ERR_OK;
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->stopping, true);
    wake_signal(worker->wake);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    worker_destroy(worker);
}
