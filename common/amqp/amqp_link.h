#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/amqp/msg.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * amqp_link - one connection to RabbitMQ, kept up.
 *
 * The only module that includes amqp.h. It connects, names the connection, declares queues,
 * consumes, publishes with confirms, sends heartbeats, and after a loss comes back by itself
 * (0.1 s doubling to 1.5 s, with jitter), declares and consumes anew, and tells its owner.
 *
 * Threads: a link belongs to one thread, which calls amqp_link_turn() all the time; nothing here
 *          is shared. The callbacks run inside amqp_link_turn(), and may publish and acknowledge.
 * Blocking: only connecting does, for at most the connect timeout (5 s). Publishing never blocks: a
 *          message that the kernel's send buffer would not take at once is refused with ERR_FULL,
 *          and the next turn sleeps only briefly. A large one leaves in pieces over several turns,
 *          during which others are refused.
 * Delivery tags and publish numbers are valid until the next `down`.
 *
 * TLS: with amqps://, of version 1.2 or later. The broker's certificate has to be valid, signed by
 * who may do so, and for the host of the URL; otherwise nothing is sent, and the log says why.
 *
 * Transient queues: durable ones, once the broker has said that it permits no others; the link asks
 * again at once, remembers it, and the log says so. A transient queue is better in a cluster: when
 * its node dies it is gone, and can be made on another one.
 *
 * Once up, whatever closes a channel or a consumer (a queue was deleted) makes the link go down
 * and come back, so that everything is declared again.
 */

/* The largest body, either way. A larger delivery goes to its dead-letter exchange unseen, unless
 * its queue tells_oversized. */
#define AMQP_BODY_LIMIT 16777216

struct amqp_link;

enum amqp_outcome {
    AMQP_CONFIRMED, /* the broker has it (persistent: on disk) */
    AMQP_RETURNED,  /* mandatory, but no such queue; nobody has it */
    AMQP_REFUSED    /* nack: a queue is full or broken; nobody has it */
};

struct amqp_events {
    /* The link is up: everything is declared and consumed. Publish numbers start at 1 again.
     * `up` and `down` may be NULL. */
    void (*up)(void *arg);
    /* The link is down. What was not confirmed may be lost; what was not acknowledged comes again.
     */
    void (*down)(void *arg);
    /* A message; *m is borrowed for the call. To be acknowledged by `tag`, unless no_ack. */
    void (*delivery)(void *arg, const struct msg *m, uint64_t tag, bool redelivered);
    /* What became of publish number `number`. Each number is told exactly once, in no order. */
    void (*outcome)(void *arg, uint64_t number, enum amqp_outcome outcome);
    /* The broker paused (memory or disk alarm) or resumed us. May be NULL. */
    void (*blocked)(void *arg, bool blocked);
    /* How many consumers `queue` has; -1: there is no such queue. May be NULL for a link that never
     * asks. */
    void (*counted)(void *arg, const char *queue, int64_t consumers);
    /* A delivery from this queue was too large, and has gone to the dead-letter exchange. May be
     * NULL.
     */
    void (*refused)(void *arg, const char *queue);
};

struct amqp_queue {
    const char *name;
    bool transient_expiring; /* a gateway's own: classic, not exclusive, expires unused */
    uint32_t expires_ms;     /* only if transient_expiring: x-expires */
    bool consume;
    bool no_ack; /* deliveries need no acknowledgement */
    bool quorum; /* a quorum queue, on which a message that is delivered in vain is counted */
    bool tells_oversized; /* a body beyond AMQP_BODY_LIMIT is delivered as msg.oversized, empty */
    uint16_t prefetch;    /* of its consumer; 0: the link's */
};

/* Files in PEM, of amqps:// only; "" or NULL: none. They are read again with each connection. */
struct amqp_tls {
    const char *ca_file;     /* who may have signed the broker's certificate; none: the system's */
    const char *certificate; /* ours, where the broker asks for one; with those in between */
    const char *key;         /* of it */
};

struct amqp_link_config {
    const char *url; /* amqp://user:password@host:port/vhost, or amqps:// */
    struct amqp_tls tls;
    const char *connection_name; /* shown in the management UI */
    const char *consumer_tag;    /* prefix; the queue's name is added */
    uint16_t heartbeat_s;        /* 0: none */
    uint16_t prefetch;           /* per consumer; 0: unlimited */
    const struct amqp_queue
        *queues; /* durable unless transient_expiring; declared at each connect */
    size_t queue_count;
    const char *const
        *exchanges; /* durable topic exchanges, declared too; ends with NULL, or NULL */
    struct amqp_events events;
    void *arg; /* of the callbacks */
};

/* ERR_CONFIG: the URL; ERR_IO: a file for TLS cannot be used, or is given for amqp:// (the log says
 * which, and why). The config's texts are copied. Does not connect yet. */
_must_check_ enum err amqp_link_create(const struct amqp_link_config *config,
                                       struct amqp_link **out);
void amqp_link_destroy(struct amqp_link *link);

/*
 * One turn: connects if it is time to, reads and dispatches everything that has arrived, sends
 * heartbeats, then, if nothing had arrived, sleeps until something does, `wake_fd` (or -1) becomes
 * readable, or timeout_ms have passed (0: does not sleep). Returns true if anything was dispatched.
 */
bool amqp_link_turn(struct amqp_link *link, int wake_fd, int timeout_ms);

bool amqp_link_is_up(const struct amqp_link *link);

/*
 * Publishes to m->queue, or through m->exchange with m->queue as routing key; *number, unless NULL,
 * gets the publish number whose outcome will be told. ERR_FULL: not now (no room, the broker paused
 * us, or too much is unconfirmed), try again after the next turn; ERR_AWAY: the link is down;
 * ERR_RANGE: the body or the headers are too large, or a property is longer than 255 bytes.
 */
_must_check_ enum err amqp_link_publish(struct amqp_link *link, const struct msg *m,
                                        uint64_t *number);

/* Acknowledges `tag`, with `multiple` everything up to it. Nothing happens when the link is down.
 */
void amqp_link_ack(struct amqp_link *link, uint64_t tag, bool multiple);

/* Gives one delivery back to its queue, or (requeue = false) to its dead-letter exchange. */
void amqp_link_reject(struct amqp_link *link, uint64_t tag, bool requeue);

/*
 * Asks how many consumers a queue has; `counted` tells, in the order of the questions. A question
 * that is not answered before the link goes down is forgotten. ERR_AWAY: the link is down;
 * ERR_RANGE: no queue has such a name. The one thing that may be asked about a queue which need not
 * exist: the broker answers that by closing the channel, and this one is for nothing else.
 */
_must_check_ enum err amqp_link_count_consumers(struct amqp_link *link, const char *queue);

/* Gives up the consumers for good, so that nothing new arrives; for an orderly stop. What the
 * broker has already sent is still delivered. */
void amqp_link_stop_consuming(struct amqp_link *link);

/* The same of one queue. */
void amqp_link_stop_queue(struct amqp_link *link, const char *queue);

DEFINE_CLEANUP(struct amqp_link *, amqp_link_destroy)
