#pragma once

#include <stdint.h>

#include "common/amqp/amqp_link.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/thread/msgq.h"
#include "common/thread/wake.h"
#include "gateway/metrics.h"

/*
 * publisher - the thread that publishes the gateway's requests, over an AMQP link of its own.
 *
 * It publishes in the order of the orders. Every message is kept until the socket thread has
 * forgotten it and the broker has confirmed it; what is kept is published once more when the link,
 * or the gateway's queue, had been lost. A message whose time is over is not published any more.
 * While the broker is away longer than outage_ms, messages that it has never seen are given up
 * (NEWS_UNSENT); others may have been served, so their requests end at their deadline.
 *
 * Threads: publisher_start() starts the one thread; all communication goes through the queues.
 */

struct publisher;

struct publisher_config {
    const char *url;
    struct amqp_tls tls;
    const char *connection_name;
    uint16_t heartbeat_s;
    int64_t outage_ms;
    size_t waiting_max; /* messages taken from the queue that the broker has not seen */
    struct msgq *orders;
    struct wake *wake; /* signalled when orders stand in the queue */
    struct msgq *news;
    struct metrics *metrics;
};

/* The texts are copied, the rest is borrowed. ERR_CONFIG: the URL; ERR_IO: no thread. */
_must_check_ enum err publisher_start(const struct publisher_config *config,
                                      struct publisher **out);

/* Publishes what has been ordered, for at most grace_ms, ends the thread and frees everything. NULL
 * is allowed. */
void publisher_stop(struct publisher *p, int64_t grace_ms);
