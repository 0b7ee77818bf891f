#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/amqp/amqp_link.h"
#include "common/amqp/msg.h"

/*
 * traffic - what the threads of a gateway hand to each other through their queues.
 *
 * Orders go from the socket thread to the publishing thread; news come from the publishing and
 * the consuming thread to the socket thread. Both own what is inside them.
 */

enum order_kind {
    ORDER_PUBLISH, /* `message`; keep it until it is forgotten and the broker has it */
    ORDER_FORGET,  /* `numbers`: nobody waits for their replies any more */
    ORDER_READY,   /* replies can come in: publish, what is still kept once more */
    ORDER_HOLD     /* replies cannot come in: publish nothing */
};

#define ORDER_FORGET_MAX 64

struct order {
    enum order_kind kind;
    struct msg *message;
    uint64_t number;     /* of the open request; 0: no reply is awaited */
    int64_t deadline_ms; /* when a reply is of no use any more; 0: never */
    bool expires;        /* on the broker, too, at that time */
    bool tell_confirm;
    size_t count;
    uint64_t numbers[]; /* ORDER_FORGET only */
};

struct order *order_create(enum order_kind kind);
void order_destroy(void *order);

enum news_kind {
    NEWS_MESSAGE, /* `message` came from the gateway's queue */
    NEWS_OUTCOME, /* what the broker said to request `number` */
    NEWS_UNSENT,  /* the broker has been away too long: request `number` was not published */
    NEWS_LINK     /* `link` is up or down */
};

enum link_name { LINK_PUBLISHER, LINK_CONSUMER, LINK_COUNT };

struct news {
    enum news_kind kind;
    struct msg *message;
    uint64_t number;
    enum amqp_outcome outcome;
    enum link_name link;
    bool up;
};

struct news *news_create(enum news_kind kind);
void news_destroy(void *news);
