#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * msg - what travels over the broker: properties, headers, body. Immutable once created.
 *
 * Properties are used for what they are for (design: "Broker"), so that an operator can read and
 * write them in RabbitMQ's management UI. Every text may be NULL (absent); numbers are 0 or false
 * when absent.
 *
 * Ownership: msg_create() copies everything into one block; msg_destroy() frees it, and overwrites
 * the body before if the message has an encoding: it may be the opened one of a sealed message.
 */

struct msg {
    const char *queue;          /* routing key: the queue to go to, or that it came from */
    const char *exchange;       /* only outgoing; NULL: straight to `queue` */
    const char *type;           /* operation; "push", "reply" and "control" towards a gateway */
    const char *message_id;     /* the client's messageId */
    const char *correlation_id; /* gateway's number of the open request */
    const char *reply_to;       /* queue for the answer; NULL: no answer wanted */
    const char *app_id;         /* name of the publishing process */
    const char *encoding;       /* of the body, unless it is plain JSON: SEAL_ENCODING (see seal) */
    int64_t timestamp_ms;       /* when published; AMQP itself carries whole seconds */
    uint32_t expiration_ms;     /* 0: never */
    bool persistent;
    bool mandatory; /* only outgoing: an unroutable message is reported as returned */
    bool oversized; /* only incoming: the body was larger than AMQP_BODY_LIMIT, and is left out */

    /* Headers, each named as here without the unit. */
    const char *client;  /* client id: today's name of the session */
    const char *user;    /* user id */
    const char *device;  /* device id */
    const char *dialect; /* "activestack", "content" */
    const char *address; /* of a login or a return: the IP address that the client has */
    const char *reason;  /* of a dead letter, of a control message, or of a reply: below */
    int64_t accepted_ms; /* when the gateway took the request */
    int64_t deadline_ms; /* when the answer of a process is of no use any more; ms since 1970 */
    int64_t code;        /* close code of a control message; outcome of a reply (see bridge) */
    uint32_t keep;       /* 1: the request stays open until the client has confirmed its reply */
    uint32_t format;     /* header "v": see common/protocol/format.h */

    const char *body; /* NUL-terminated behind `size` */
    size_t size;
};

/* A message that RabbitMQ has moved to another queue, and that says no reason of its own, has the
 * broker's: its header x-first-death-reason ("expired", "rejected", "maxlen", "delivery_limit"). */

/* What a reply may say beside its body. */
#define MSG_REASON_MORE         "more"         /* to a return: a part, ask for the next one */
#define MSG_REASON_UNKNOWN_USER "unknown user" /* to a refused login */
#define MSG_REASON_TOO_MANY     "too many"     /* the same: after too many that have failed */

/* A deep copy of *fields in one block, owned by the caller. */
_must_check_ enum err msg_create(const struct msg *fields, struct msg **out);
void msg_destroy(struct msg *m);
DEFINE_CLEANUP(struct msg *, msg_destroy)
