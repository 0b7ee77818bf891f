#pragma once

#include <string.h>

#include <amqp.h>
#include <amqp_framing.h>

#include "common/amqp/amqp_link.h"
#include "common/base/backoff.h"
#include "common/base/text.h"

/*
 * amqp_private - what the files of amqp_link share, and nobody else may include.
 *
 *   amqp_link.c      the link's life: create, turn, sleep, down, acknowledge
 *   amqp_connect.c   from a URL to a connection on which everything is declared and consumed
 *   amqp_read.c      what arrives: a state machine over frames
 *   amqp_publish.c   what leaves, without ever blocking
 *   amqp_confirms.c  what became of it
 *   amqp_count.c     how many consumers a queue has
 *   amqp_tls.c       the connection of amqps://
 *   amqp_props.c     struct msg <-> AMQP properties and headers
 *
 * Two channels, because nothing may stand between the frames of a message on its channel: while
 * a large message leaves piece by piece, acknowledgements go out on the other one. A third one for
 * questions, because the broker closes the channel on which it is asked about a queue that is not
 * there; it is opened with the first question.
 *
 * Failure: whoever meets a dead connection calls amqp_break() and goes on as if nothing were; the
 * turn ends the connection when nobody uses its memory any more.
 */

#define AMQP_CHANNEL_CONSUME 1
#define AMQP_CHANNEL_PUBLISH 2
#define AMQP_CHANNEL_COUNT   3
#define AMQP_CHANNELS        3

/* Messages on their way to the broker that it has not confirmed; a power of two. */
#define AMQP_UNCONFIRMED_LIMIT 65536

/* Only on what is published as mandatory: the publish number, to know a returned message by. */
#define AMQP_HEADER_NUMBER "n"

/* A message that is arriving on a channel: method, header and body frames, in this order. */
struct amqp_content {
    amqp_method_t method;                /* deliver or return; id 0: nothing is arriving */
    amqp_basic_properties_t *properties; /* NULL until the header frame is there */
    size_t properties_size;              /* encoded */
    uint64_t missing;                    /* bytes of the body that are still to come */
    bool skipped;                        /* the body is not kept */
    struct text body;
};

/* A message's properties in the library's words; points into the message and into itself. */
struct amqp_outgoing {
    amqp_basic_properties_t properties;
    amqp_table_entry_t headers[16];
    char expiration[12];
    size_t size; /* at most so many bytes for all but the body */
};

struct amqp_link {
    struct amqp_link_config config;    /* whose texts are in `kept` */
    struct amqp_queue *queues;         /* config.queues, ours */
    const char **exchanges;            /* config.exchanges, ours; ends with NULL */
    struct amqp_connection_info where; /* whose texts are in `kept`, too */
    struct text kept;                  /* does not grow once the link is created */

    amqp_connection_state_t connection; /* NULL: down */
    struct ssl_st *tls;                 /* the library's, of this connection; NULL: it is plain */
    const char *tls_problem;            /* of the broker's certificate; NULL: none */
    bool broken;                        /* to be ended by the turn */
    bool blocked;                       /* the broker asked us not to publish */
    bool only_durable;                  /* the broker refused a transient queue; remembered */
    struct backoff backoff;

    struct amqp_content contents[AMQP_CHANNELS]; /* arriving, by channel - 1 */
    struct text texts;                           /* of the message being delivered */

    size_t budget;        /* bytes in the kernel's send queue up to which a write cannot block */
    struct text gathered; /* whole frames that leave together */
    size_t room;          /* bytes that could be written when the first of them was gathered */
    struct text rest;     /* what is left of the body of a large message that is leaving */
    size_t rest_at;       /* how far it has got */
    bool full;            /* something was refused for want of room: look again soon */
    int full_sleep_ms;    /* for how long, doubling */

    struct text questions; /* names of queues, each with its NUL; the first one is being asked */
    bool count_open;       /* the channel for questions */

    uint64_t oldest;                   /* unconfirmed publish number, == next when there is none */
    uint64_t next;                     /* publish number of the next message */
    bool told[AMQP_UNCONFIRMED_LIMIT]; /* from `oldest` on, by number modulo the limit */
};

/* Ends the connection at the next opportunity. `reason` goes to the log. */
void amqp_break(struct amqp_link *link, const char *reason);

/* Connects and declares, within the connect timeout. On failure the reason is in the log. */
bool amqp_connect(struct amqp_link *link);

/* Can the files for TLS be used, and are there none without it? Otherwise the log says why. */
bool amqp_tls_check(const struct amqp_link *link);

/* A socket of link->connection that speaks TLS; NULL: a file cannot be used, which the log says.
 * Once it is open link->tls is set. */
amqp_socket_t *amqp_tls_socket(struct amqp_link *link);

/* As send(), which does not block: -1 with EAGAIN, or with EIO. */
ssize_t amqp_tls_write(struct amqp_link *link, const char *at, size_t size);

/* Has something arrived that poll() does not know of? */
bool amqp_tls_has_more(const struct amqp_link *link);

/* What a status of the library means, in words. */
const char *amqp_reason(const struct amqp_link *link, int status);

/* Adds the tag under which we consume `queue`, from which amqp_tag_queue() gets it back. */
void amqp_add_tag(const struct amqp_link *link, const char *queue, struct text *out);
amqp_bytes_t amqp_tag_queue(const struct amqp_link *link, amqp_bytes_t tag);

/* Dispatches what has arrived, at most a turn's worth. Returns true if there was anything. */
bool amqp_read(struct amqp_link *link);

/* Writes what was gathered, for which there is room. */
void amqp_write_gathered(struct amqp_link *link);

/* Writes what there is room for of a large message that is leaving. */
void amqp_write_rest(struct amqp_link *link);

/* The broker's word on `number`, with `multiple` on everything up to it. */
void amqp_confirm(struct amqp_link *link, uint64_t number, bool multiple,
                  enum amqp_outcome outcome);

/* The broker's answers on the channel for questions: a count, or its end. */
void amqp_counted(struct amqp_link *link, const amqp_queue_declare_ok_t *m);
void amqp_count_refused(struct amqp_link *link, const amqp_channel_close_t *m);

/* ERR_RANGE: a text is too long for a property, or all of them for a frame. */
_must_check_ enum err amqp_outgoing_fill(struct amqp_outgoing *out, const struct msg *m,
                                         uint64_t number);

/* Fills everything but queue and body of *out. Its texts are added to `texts`, which must have
 * amqp_incoming_room() of the properties' encoded size left, so that none of them moves. */
void amqp_incoming_fill(const amqp_basic_properties_t *properties, struct text *texts,
                        struct msg *out);
size_t amqp_incoming_room(size_t properties_size);

/* The publish number in a returned message; 0: none of ours. */
uint64_t amqp_returned_number(const amqp_basic_properties_t *properties);

/* The library's types do not say so, but it only reads what it is given to send. */
static inline amqp_bytes_t amqp_bytes_sized(const char *at, size_t size)
{
    amqp_bytes_t bytes = {.len = size};

    memcpy(&bytes.bytes, &at, sizeof(at));
    return bytes;
}

static inline amqp_bytes_t amqp_bytes_of(const char *str)
{
    return amqp_bytes_sized(str, strlen(str));
}
