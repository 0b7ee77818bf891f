#pragma once

#include <stdint.h>

#include "common/amqp/amqp_link.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/thread/msgq.h"
#include "gateway/metrics.h"

/*
 * consumer - the thread that consumes the gateway's own queue, over an AMQP link of its own, and
 * hands replies, pushes and control messages to the socket thread.
 *
 * When the socket thread has too much to do the consumer waits, and so, through TCP, does the
 * broker.
 *
 * Threads: consumer_start() starts the one thread.
 */

struct consumer;

struct consumer_config {
    const char *url;
    struct amqp_tls tls;
    const char *connection_name;
    const char *tag;   /* prefix of the consumer tag */
    const char *queue; /* the gateway's */
    uint16_t heartbeat_s;
    struct msgq *news;
    struct metrics *metrics;
};

/* The texts are copied, the rest is borrowed. ERR_CONFIG: the URL; ERR_IO: no thread. */
_must_check_ enum err consumer_start(const struct consumer_config *config, struct consumer **out);

/* Ends the thread and frees everything. NULL is allowed. */
void consumer_stop(struct consumer *c);
