#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/amqp/amqp_link.h"
#include "common/amqp/msg.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * asker - asks agents over RabbitMQ and waits: one question at a time, to the queue of an
 * operation; the answer comes to a queue of the asker's own.
 *
 * A question expires when its time is up, also one that has effects: what nobody has answered is
 * not carried out later. After a lost connection it is sent again, so it has to be repeatable.
 *
 * Threads: an asker belongs to one thread, and blocks it. Between two questions its connection may
 * be lost unnoticed; the next question connects anew.
 */

struct asker;

struct asker_config {
    const char *url;
    struct amqp_tls tls;
    const char *name; /* of the connection, and app_id of what it asks */
    const char *kind; /* what the name of its own queue begins with */
    uint16_t heartbeat_s;
};

enum asked {
    ASKED_ANSWERED,
    ASKED_AWAY,      /* the broker could not be reached, or took nothing */
    ASKED_NO_QUEUE,  /* nobody has ever consumed it */
    ASKED_REFUSED,   /* the queue is full */
    ASKED_SILENT,    /* it was sent, and not answered in time */
    ASKED_TOO_LARGE, /* for the broker */
};

/* The texts are copied. ERR_CONFIG, ERR_IO: as of amqp_link_create(). Does not connect yet. */
_must_check_ enum err asker_create(const struct asker_config *config, struct asker **out);
void asker_destroy(struct asker *asker);

/* Tries once, unless it is connected. */
_must_check_ bool asker_connect(struct asker *asker);

/*
 * Asks, and waits for at most `wait_ms`. *question has queue, body, who asks (unless it is an
 * operator) and, if the asker is to be known again, a message id; the rest is added here. *answer
 * is replaced by the answer's body.
 */
enum asked asker_ask(struct asker *asker, const struct msg *question, int64_t wait_ms,
                     struct text *answer);

DEFINE_CLEANUP(struct asker *, asker_destroy)
