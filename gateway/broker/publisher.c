#include "gateway/broker/publisher.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/amqp/amqp_link.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "gateway/broker/kept.h"

#define IDLE_MS  1000 /* nothing to do: sleep until something happens, or this long */
#define RETRY_MS 2    /* the kernel's buffer was full */

struct publisher {
    pthread_t thread;
    atomic_bool stopping;
    _Atomic int64_t stop_at_ms; /* monotonic; read once `stopping` is set */
    struct wake *wake;

    /* Of the thread alone. */
    struct publisher_config config; /* its texts are gone once the link is created */
    struct amqp_link *link;
    struct kept *kept;
    bool ready;            /* replies can come in */
    int64_t away_since_ms; /* publishing has not been possible since; 0: it is */
    bool full;             /* the link refused the last message for now */
};

/* ---- News ---- */

static void tell(struct publisher *p, struct news *n)
{
    if (msgq_push_over_take(p->config.news, &n))
        news_destroy(n);
}

static void tell_link(struct publisher *p, bool up)
{
    struct news *n = news_create(NEWS_LINK);

    n->link = LINK_PUBLISHER;
    n->up = up;
    tell(p, n);
}

static void tell_outcome(struct publisher *p, const struct kept_message *m,
                         enum amqp_outcome outcome)
{
    struct news *n;

    if (m->order->number == 0 || (outcome == AMQP_CONFIRMED && !m->order->tell_confirm))
        return;
    n = news_create(NEWS_OUTCOME);
    n->number = m->order->number;
    n->outcome = outcome;
    tell(p, n);
}

static void tell_unsent(struct publisher *p, const struct kept_message *m)
{
    struct news *n = news_create(NEWS_UNSENT);

    n->number = m->order->number;
    tell(p, n);
}

/* ---- What the link tells ---- */

static void note_whether_away(struct publisher *p)
{
    if (p->ready && amqp_link_is_up(p->link))
        p->away_since_ms = 0;
    else if (p->away_since_ms == 0)
        p->away_since_ms = clock_mono_ms();
}

static void on_up(void *arg)
{
    struct publisher *p = arg;

    p->full = false;
    metrics_set(p->config.metrics, METRIC_PUBLISHER_UP, 1);
    tell_link(p, true);
}

static void on_down(void *arg)
{
    struct publisher *p = arg;

    kept_link_lost(p->kept);
    metrics_set(p->config.metrics, METRIC_PUBLISHER_UP, 0);
    tell_link(p, false);
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    (void)arg;
    (void)m;
    (void)tag;
    (void)redelivered; /* this link consumes nothing */
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    struct publisher *p = arg;
    struct kept_message *m = kept_by_publish(p->kept, number);

    if (!m)
        return;
    tell_outcome(p, m, outcome);
    if (outcome == AMQP_CONFIRMED) {
        kept_mark_safe(p->kept, m);
        return;
    }
    metrics_add(p->config.metrics, outcome == AMQP_RETURNED ? METRIC_RETURNED : METRIC_REFUSED, 1);
    log_warn(outcome == AMQP_RETURNED ? "publisher.returned" : "publisher.refused",
             LOG_STR("queue", m->order->message->queue));
    kept_drop(p->kept, m);
}

static void on_blocked(void *arg, bool blocked)
{
    (void)arg;
    log_warn("publisher.blocked", LOG_I64("blocked", blocked));
}

/* ---- Orders ---- */

static void obey(struct publisher *p, struct order **order)
{
    struct order *o = *order;

    switch (o->kind) {
    case ORDER_PUBLISH:
        kept_add_take(p->kept, order);
        return;
    case ORDER_FORGET:
        for (size_t i = 0; i < o->count; i++)
            kept_forget(p->kept, o->numbers[i]);
        break;
    case ORDER_READY:
        p->ready = true;
        kept_replies_lost(p->kept);
        break;
    case ORDER_HOLD:
        p->ready = false;
        break;
    }
    order_destroy(o);
}

/* What does not fit stays in the queue, which is bounded, too. */
static void take_orders(struct publisher *p)
{
    struct order *o;

    wake_drain(p->wake);
    while (kept_waiting_count(p->kept) < p->config.waiting_max && (o = msgq_pop(p->config.orders)))
        obey(p, &o);
}

/* ---- Publishing ---- */

static bool is_late(const struct kept_message *m, int64_t now_ms)
{
    return m->order->deadline_ms != 0 && m->order->deadline_ms <= now_ms;
}

static enum err publish(struct publisher *p, struct kept_message *m, int64_t now_ms)
{
    struct msg now = *m->order->message;
    bool again = m->ever_sent;
    uint64_t number;
    enum err e;

    now.timestamp_ms = clock_wall_ms();
    if (m->order->expires)
        now.expiration_ms = (uint32_t)(m->order->deadline_ms - now_ms);
    e = amqp_link_publish(p->link, &now, &number);
    if (e)
        return e;
    kept_mark_sent(p->kept, m, number);
    metrics_add(p->config.metrics, again ? METRIC_PUBLISHED_AGAIN : METRIC_PUBLISHED, 1);
    return ERR_OK;
}

/* A message that no frame can carry is refused as if by the broker. */
static void refuse(struct publisher *p, struct kept_message *m)
{
    log_warn("publisher.unfit", LOG_STR("queue", m->order->message->queue));
    tell_outcome(p, m, AMQP_REFUSED);
    kept_drop(p->kept, m);
}

static void publish_waiting(struct publisher *p)
{
    int64_t now_ms = clock_mono_ms();
    struct kept_message *m;
    enum err e = ERR_OK;

    while (!e && p->away_since_ms == 0 && kept_may_send(p->kept) &&
           (m = kept_next_waiting(p->kept))) {
        if (is_late(m, now_ms)) {
            kept_drop(p->kept, m); /* its client has been told */
            continue;
        }
        e = publish(p, m, now_ms);
        if (e == ERR_RANGE) {
            refuse(p, m);
            e = ERR_OK;
        }
    }
    p->full = e == ERR_FULL;
}

/* After too long an outage: tells of everything that the broker certainly has not seen. */
static void give_up(struct publisher *p)
{
    struct kept_message *m = kept_first(p->kept), *next;

    if (p->away_since_ms == 0 || clock_mono_ms() - p->away_since_ms < p->config.outage_ms)
        return;
    for (; m; m = next) {
        next = TAILQ_NEXT(m, in_order);
        if (m->state != KEPT_WAITING || m->ever_sent || m->order->number == 0)
            continue;
        tell_unsent(p, m);
        kept_drop(p->kept, m);
    }
}

/* ---- The thread ---- */

static bool is_done(struct publisher *p)
{
    if (!atomic_load(&p->stopping))
        return false;
    return (msgq_depth(p->config.orders) == 0 && kept_unconfirmed_count(p->kept) == 0) ||
           clock_mono_ms() >= atomic_load(&p->stop_at_ms);
}

static int sleep_ms(const struct publisher *p)
{
    if (p->full)
        return RETRY_MS;
    return p->away_since_ms != 0 || atomic_load(&p->stopping) ? IDLE_MS / 20 : IDLE_MS;
}

static void *run(void *arg)
{
    struct publisher *p = arg;

    (void)pthread_setname_np(pthread_self(), "publisher"); /* for top -H */
    while (!is_done(p)) {
        note_whether_away(p);
        take_orders(p);
        publish_waiting(p);
        give_up(p);
        metrics_set(p->config.metrics, METRIC_WAITING, (int64_t)kept_waiting_count(p->kept));
        (void)amqp_link_turn(p->link, wake_fd(p->wake), sleep_ms(p));
    }
    return NULL;
}

static void publisher_destroy(struct publisher *p)
{
    amqp_link_destroy(p->link);
    kept_destroy(p->kept);
    free(p);
}
DEFINE_CLEANUP(struct publisher *, publisher_destroy)

enum err publisher_start(const struct publisher_config *config, struct publisher **out)
{
    _cleanup_(publisher_destroyp) struct publisher *p = calloc(1, sizeof(*p));
    enum err e;

    if (!p)
        return ERR_NOMEM;
    p->config = *config;
    p->wake = config->wake;
    p->away_since_ms = clock_mono_ms();
    e = kept_create(&p->kept);
    if (!e)
        e = amqp_link_create(
            &(struct amqp_link_config){
                .url = config->url,
                .tls = config->tls,
                .connection_name = config->connection_name,
                .heartbeat_s = config->heartbeat_s,
                .events = {on_up, on_down, on_delivery, on_outcome, on_blocked},
                .arg = p,
            },
            &p->link);
    if (e)
        return e;
    if (pthread_create(&p->thread, NULL, run, p) != 0)
        return ERR_IO;
    *out = p;
    p = NULL;
    return ERR_OK;
}

void publisher_stop(struct publisher *p, int64_t grace_ms)
{
    if (!p)
        return;
    atomic_store(&p->stop_at_ms, clock_mono_ms() + grace_ms);
    atomic_store(&p->stopping, true);
    wake_signal(p->wake);
    (void)pthread_join(p->thread, NULL);
    publisher_destroy(p);
}
