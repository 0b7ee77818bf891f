#include "gateway/broker/consumer.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/amqp/amqp_link.h"
#include "common/base/log.h"
#include "common/thread/wake.h"
#include "gateway/broker/traffic.h"

#define IDLE_MS         1000
#define FULL_RETRY_MS   1
#define QUEUE_EXPIRY_MS 60000 /* of the gateway's queue when nobody consumes it any more */

struct consumer {
    pthread_t thread;
    atomic_bool stopping;
    struct wake *wake;

    /* Of the thread alone. */
    struct amqp_link *link;
    struct msgq *news;
    struct metrics *metrics;
};

static void tell_link(struct consumer *c, bool up)
{
    struct news *n = news_create(NEWS_LINK);

    n->link = LINK_CONSUMER;
    n->up = up;
    if (msgq_push_over_take(c->news, &n))
        news_destroy(n);
    metrics_set(c->metrics, METRIC_CONSUMER_UP, up);
}

static void on_up(void *arg)
{
    tell_link(arg, true);
}

static void on_down(void *arg)
{
    tell_link(arg, false);
}

/* The socket thread empties the queue at each of its turns, so a full one is full for moments. */
static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct consumer *c = arg;
    struct news *n = news_create(NEWS_MESSAGE);

    (void)tag;
    (void)redelivered;
    if (msg_create(m, &n->message))
        err_out_of_memory();
    while (msgq_push_take(c->news, &n) == ERR_FULL && !atomic_load(&c->stopping))
        (void)poll(NULL, 0, FULL_RETRY_MS);
    if (n)
        news_destroy(n);
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    (void)arg;
    (void)number;
    (void)outcome; /* this link publishes nothing */
}

static void *run(void *arg)
{
    struct consumer *c = arg;

    (void)pthread_setname_np(pthread_self(), "consumer"); /* for top -H */
    while (!atomic_load(&c->stopping))
        (void)amqp_link_turn(c->link, wake_fd(c->wake), IDLE_MS);
    return NULL;
}

static void consumer_destroy(struct consumer *c)
{
    amqp_link_destroy(c->link);
    wake_destroy(c->wake);
    free(c);
}
DEFINE_CLEANUP(struct consumer *, consumer_destroy)

static enum err create_link(struct consumer *c, const struct consumer_config *config)
{
    const struct amqp_queue queue = {
        .name = config->queue,
        .transient_expiring = true,
        .expires_ms = QUEUE_EXPIRY_MS,
        .consume = true,
        .no_ack = true,
    };

    return amqp_link_create(
        &(struct amqp_link_config){
            .url = config->url,
            .tls = config->tls,
            .connection_name = config->connection_name,
            .consumer_tag = config->tag,
            .heartbeat_s = config->heartbeat_s,
            .queues = &queue,
            .queue_count = 1,
            .events = {on_up, on_down, on_delivery, on_outcome, NULL},
            .arg = c,
        },
        &c->link);
}

enum err consumer_start(const struct consumer_config *config, struct consumer **out)
{
    _cleanup_(consumer_destroyp) struct consumer *c = calloc(1, sizeof(*c));
    enum err e;

    if (!c)
        return ERR_NOMEM;
    c->news = config->news;
    c->metrics = config->metrics;
    e = wake_create(&c->wake);
    if (!e)
        e = create_link(c, config);
    if (e)
        return e;
    if (pthread_create(&c->thread, NULL, run, c) != 0)
        return ERR_IO;
    *out = c;
    c = NULL;
    return ERR_OK;
}

void consumer_stop(struct consumer *c)
{
    if (!c)
        return;
    atomic_store(&c->stopping, true);
    wake_signal(c->wake);
    (void)pthread_join(c->thread, NULL);
    consumer_destroy(c);
}
