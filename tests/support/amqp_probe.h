#pragma once

#include "common/amqp/amqp_link.h"
#include "common/base/text.h"

/*
 * amqp_probe - an AMQP link that remembers all it was told, for tests.
 *
 * Waiting is turning the link until a condition holds; 20 s without it fail the test.
 */

struct amqp_probe {
    struct amqp_link *link;
    int ups, downs, blocks, unblocks;
    struct msg **messages; /* copies of all deliveries */
    uint64_t *tags;
    bool *redelivered;
    size_t count, room;
    uint64_t told, confirmed, returned, refused;
    uint8_t outcomes[65536]; /* by publish number: how often it was told */
    bool acknowledges;       /* each delivery at once */
    struct text counted;     /* "<queue> <consumers>\n" of each count */
};

/* A name that no other test has; in one of a few static buffers. */
const char *amqp_probe_name(void);

/* Opens a link to `url` that consumes `queue` (NULL: only publishes), and waits until it is up. */
void amqp_probe_open(struct amqp_probe *probe, const char *url, const char *queue);

/* The same with a configuration, of which url, names and events are set here if they are not; does
 * not wait. */
void amqp_probe_start(struct amqp_probe *probe, struct amqp_link_config config);
void amqp_probe_close(struct amqp_probe *probe);

/* Publishes, as soon as the link takes it; returns the number. */
uint64_t amqp_probe_publish(struct amqp_probe *probe, const struct msg *m);

/* A body of more than AMQP_BODY_LIMIT bytes to `queue`, which a link would not send. */
void amqp_probe_say_too_much(const char *queue);

/* A small message to `queue`. */
uint64_t amqp_probe_say(struct amqp_probe *probe, const char *queue, const char *body);

#define amqp_probe_until(probe, condition)                \
    do {                                                  \
        int64_t until_ms = amqp_probe_deadline();         \
        while (!(condition))                              \
            amqp_probe_turn(probe, until_ms, #condition); \
    } while (0)

int64_t amqp_probe_deadline(void);
void amqp_probe_turn(struct amqp_probe *probe, int64_t until_ms, const char *condition);
