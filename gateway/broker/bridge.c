#include "gateway/broker/bridge.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/secret.h"

#define QUEUE_PREFIX "gateway."

struct bridge {
    struct msgq *orders, *news;
    struct wake *wake;       /* of the publishing thread */
    struct order *forgotten; /* numbers that the publishing thread has not been told */
    atomic_bool up[LINK_COUNT];
    int64_t away_since_ms; /* 0: both are up */
    char queue_name[sizeof(QUEUE_PREFIX) + SECRET_ID_CHARS];
};

static void wake_publisher(void *arg)
{
    struct wake *wake = arg;

    wake_signal(wake);
}

static void name_queue(struct bridge *b)
{
    char id[SECRET_ID_CHARS + 1];

    secret_random_id(id);
    snprintf(b->queue_name, sizeof(b->queue_name), QUEUE_PREFIX "%s", id);
}

enum err bridge_create(size_t queue_length, msgq_wake_fn *wake, void *arg, struct bridge **out)
{
    _cleanup_(bridge_destroyp) struct bridge *b = calloc(1, sizeof(*b));
    enum err e;

    if (!b)
        return ERR_NOMEM;
    b->away_since_ms = clock_mono_ms();
    name_queue(b);
    e = wake_create(&b->wake);
    if (!e)
        e = msgq_create(queue_length, order_destroy, wake_publisher, b->wake, &b->orders);
    if (!e)
        e = msgq_create(queue_length, news_destroy, wake, arg, &b->news);
    if (e)
        return e;
    *out = b;
    b = NULL;
    return ERR_OK;
}

void bridge_destroy(struct bridge *b)
{
    if (!b)
        return;
    if (b->forgotten)
        order_destroy(b->forgotten);
    msgq_destroy(b->orders);
    msgq_destroy(b->news);
    wake_destroy(b->wake);
    free(b);
}

struct msgq *bridge_orders(struct bridge *b)
{
    return b->orders;
}

struct msgq *bridge_news(struct bridge *b)
{
    return b->news;
}

struct wake *bridge_publisher_wake(struct bridge *b)
{
    return b->wake;
}

const char *bridge_queue_name(const struct bridge *b)
{
    return b->queue_name;
}

/* For orders that must not be refused; their number is bounded by that of the clients. */
static void give_order(struct bridge *b, struct order *o)
{
    if (msgq_push_over_take(b->orders, &o))
        order_destroy(o);
}

enum err bridge_publish(struct bridge *b, const struct msg *fields,
                        const struct bridge_terms *terms)
{
    struct order *o = order_create(ORDER_PUBLISH);
    enum err e;

    o->number = terms->number;
    o->deadline_ms = terms->deadline_ms;
    o->expires = terms->expires;
    o->tell_confirm = terms->tell_confirm;
    if (msg_create(fields, &o->message))
        err_out_of_memory();
    e = terms->number == 0 && !terms->may_be_refused ? msgq_push_over_take(b->orders, &o)
                                                     : msgq_push_take(b->orders, &o);
    if (o)
        order_destroy(o);
    return e;
}

void bridge_forget(struct bridge *b, uint64_t number)
{
    if (!b->forgotten)
        b->forgotten = order_create(ORDER_FORGET);
    b->forgotten->numbers[b->forgotten->count++] = number;
    if (b->forgotten->count == ORDER_FORGET_MAX)
        bridge_flush(b);
}

void bridge_flush(struct bridge *b)
{
    if (!b->forgotten)
        return;
    give_order(b, b->forgotten);
    b->forgotten = NULL;
}

static void note_link(struct bridge *b, enum link_name link, bool up)
{
    b->up[link] = up;
    if (link == LINK_CONSUMER)
        give_order(b, order_create(up ? ORDER_READY : ORDER_HOLD));
    if (bridge_is_up(b))
        b->away_since_ms = 0;
    else if (b->away_since_ms == 0)
        b->away_since_ms = clock_mono_ms();
    log_info("bridge.link", LOG_STR("link", link == LINK_CONSUMER ? "consumer" : "publisher"),
             LOG_I64("up", up));
}

struct news *bridge_next(struct bridge *b)
{
    struct news *n = msgq_pop(b->news);

    if (n && n->kind == NEWS_LINK)
        note_link(b, n->link, n->up);
    return n;
}

bool bridge_is_up(const struct bridge *b)
{
    return b->up[LINK_PUBLISHER] && b->up[LINK_CONSUMER];
}

int64_t bridge_away_ms(const struct bridge *b, int64_t now_ms)
{
    return b->away_since_ms == 0 ? 0 : now_ms - b->away_since_ms;
}
