#include <endian.h>
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/amqp/amqp_private.h"

/*
 * Why publishing cannot block: the library's write would wait for room in the kernel's send buffer,
 * without a limit. So nothing is written that might not fit: the kernel tells how much it holds
 * (SIOCOUTQ), and while that and the message are within a quarter of the buffer, there is room.
 * A message larger than half of this budget leaves in pieces: the first at once, the rest, which
 * we keep, in the next turns. What TLS adds to each write is within the other three quarters.
 *
 * Why we frame messages ourselves: the library makes three system calls of each, and each wakes the
 * broker. Ours are gathered, whole frames only, and leave together when the turn begins or ends.
 */

#define FRAME_OVERHEAD  8 /* type, channel, size, end */
#define FRAME_END       0xCE
#define GATHERED_MAX    32768 /* bytes that leave without waiting for the turn */
#define SEND_TIMEOUT_MS 1000  /* of a write for which there was room: never seen */

/* What may still be written. Asked of the kernel once, then counted down until it has left. */
static size_t room(struct amqp_link *link)
{
    int queued = 0;

    if (!link->gathered.size) {
        if (ioctl(amqp_get_sockfd(link->connection), SIOCOUTQ, &queued) || queued < 0)
            return 0;
        link->room = (size_t)queued < link->budget ? link->budget - (size_t)queued : 0;
    }
    return link->room > link->gathered.size ? link->room - link->gathered.size : 0;
}

/* ---- Gathered messages ---- */

static ssize_t write_some(struct amqp_link *link, const char *at, size_t size)
{
    return link->tls ? amqp_tls_write(link, at, size)
                     : send(amqp_get_sockfd(link->connection), at, size, MSG_NOSIGNAL);
}

void amqp_write_gathered(struct amqp_link *link)
{
    size_t at = 0;

    if (!link->gathered.size)
        return;
    while (at < link->gathered.size && !link->broken) {
        ssize_t sent = write_some(link, link->gathered.at + at, link->gathered.size - at);
        struct pollfd ready = {.fd = amqp_get_sockfd(link->connection), .events = POLLOUT};

        if (sent > 0)
            at += (size_t)sent;
        else if (errno != EINTR && (errno != EAGAIN || poll(&ready, 1, SEND_TIMEOUT_MS) != 1))
            amqp_break(link, "what was published could not be written");
    }
    text_clear(&link->gathered);
}

/* Begins a frame; returns where its size is to be written. */
static size_t frame_begin(struct text *out, uint8_t type)
{
    const uint16_t channel = htobe16(AMQP_CHANNEL_PUBLISH);
    const uint32_t size = 0;

    text_add_char(out, (char)type);
    text_add_bytes(out, &channel, sizeof(channel));
    text_add_bytes(out, &size, sizeof(size));
    return out->size - sizeof(size);
}

static void frame_end(struct text *out, size_t size_at)
{
    const uint32_t size = htobe32((uint32_t)(out->size - size_at - sizeof(size)));

    memcpy(out->at + size_at, &size, sizeof(size));
    text_add_char(out, (char)FRAME_END);
}

/* The room behind what is there, for the library to encode into. */
static amqp_bytes_t encoding_room(struct text *out, size_t size)
{
    text_reserve(out, size);
    return (amqp_bytes_t){.len = size, .bytes = out->at + out->size};
}

/* Makes `encoded` bytes, or a negative status, part of the text. */
static int take_encoded(struct text *out, int encoded)
{
    if (encoded > 0)
        out->size += (size_t)encoded;
    return encoded < 0 ? encoded : AMQP_STATUS_OK;
}

static amqp_basic_publish_t method_of(const struct msg *m)
{
    return (amqp_basic_publish_t){.exchange =
                                      m->exchange ? amqp_bytes_of(m->exchange) : amqp_empty_bytes,
                                  .routing_key = amqp_bytes_of(m->queue),
                                  .mandatory = m->mandatory};
}

static int gather_method(struct text *out, const struct amqp_outgoing *outgoing,
                         const struct msg *m)
{
    amqp_basic_publish_t publish = method_of(m);
    const uint32_t id = htobe32(AMQP_BASIC_PUBLISH_METHOD);
    size_t size_at = frame_begin(out, AMQP_FRAME_METHOD);
    int status;

    text_add_bytes(out, &id, sizeof(id));
    status = take_encoded(out, amqp_encode_method(AMQP_BASIC_PUBLISH_METHOD, &publish,
                                                  encoding_room(out, outgoing->size)));
    frame_end(out, size_at);
    return status;
}

static int gather_header(struct text *out, struct amqp_outgoing *outgoing, uint64_t body_size)
{
    const uint16_t class_and_weight[2] = {htobe16(AMQP_BASIC_CLASS), 0};
    const uint64_t size = htobe64(body_size);
    size_t size_at = frame_begin(out, AMQP_FRAME_HEADER);
    int status;

    text_add_bytes(out, class_and_weight, sizeof(class_and_weight));
    text_add_bytes(out, &size, sizeof(size));
    status = take_encoded(out, amqp_encode_properties(AMQP_BASIC_CLASS, &outgoing->properties,
                                                      encoding_room(out, outgoing->size)));
    frame_end(out, size_at);
    return status;
}

static void gather_body(struct text *out, const struct msg *m, size_t frame_max)
{
    for (size_t at = 0; at < m->size;) {
        size_t left = m->size - at;
        size_t size = left < frame_max - FRAME_OVERHEAD ? left : frame_max - FRAME_OVERHEAD;
        size_t size_at = frame_begin(out, AMQP_FRAME_BODY);

        text_add_bytes(out, m->body + at, size);
        frame_end(out, size_at);
        at += size;
    }
}

static enum err later(struct amqp_link *link)
{
    link->full = true;
    return ERR_FULL;
}

static void note_progress(struct amqp_link *link)
{
    link->full = false;
    link->full_sleep_ms = 0;
}

static size_t piece_limit(const struct amqp_link *link)
{
    size_t frame = (size_t)amqp_get_frame_max(link->connection) - FRAME_OVERHEAD;

    return frame < link->budget / 4 ? frame : link->budget / 4;
}

static int write_piece(struct amqp_link *link, const char *at, size_t size)
{
    amqp_frame_t frame = {.frame_type = AMQP_FRAME_BODY, .channel = AMQP_CHANNEL_PUBLISH};

    frame.payload.body_fragment = amqp_bytes_sized(at, size);
    return amqp_send_frame(link->connection, &frame);
}

void amqp_write_rest(struct amqp_link *link)
{
    size_t limit;

    if (!link->rest.size || link->broken)
        return;
    limit = piece_limit(link);
    while (link->rest_at < link->rest.size) {
        size_t left = link->rest.size - link->rest_at;
        size_t size = left < limit ? left : limit;
        int status;

        if (room(link) < size + FRAME_OVERHEAD) {
            link->full = true;
            return;
        }
        status = write_piece(link, link->rest.at + link->rest_at, size);
        if (status != AMQP_STATUS_OK) {
            amqp_break(link, amqp_error_string2(status));
            return;
        }
        link->rest_at += size;
        note_progress(link);
    }
    link->rest_at = 0;
    text_deinit(&link->rest);
}

/* What could not be encoded is not gathered. */
static int gather_whole(struct amqp_link *link, struct amqp_outgoing *out, const struct msg *m)
{
    size_t before = link->gathered.size;
    int status = gather_method(&link->gathered, out, m);

    if (status == AMQP_STATUS_OK)
        status = gather_header(&link->gathered, out, m->size);
    if (status != AMQP_STATUS_OK) {
        link->gathered.size = before;
        return status;
    }
    gather_body(&link->gathered, m, (size_t)amqp_get_frame_max(link->connection));
    if (link->gathered.size > GATHERED_MAX)
        amqp_write_gathered(link);
    return AMQP_STATUS_OK;
}

static int begin_large(struct amqp_link *link, struct amqp_outgoing *out, const struct msg *m)
{
    amqp_frame_t header = {.frame_type = AMQP_FRAME_HEADER, .channel = AMQP_CHANNEL_PUBLISH};
    amqp_basic_publish_t method = method_of(m);
    int status;

    amqp_write_gathered(link);
    status = amqp_send_method(link->connection, AMQP_CHANNEL_PUBLISH, AMQP_BASIC_PUBLISH_METHOD,
                              &method);
    if (status != AMQP_STATUS_OK)
        return status;
    header.payload.properties.class_id = AMQP_BASIC_CLASS;
    header.payload.properties.body_size = m->size;
    header.payload.properties.decoded = &out->properties;
    status = amqp_send_frame(link->connection, &header);
    if (status == AMQP_STATUS_OK) {
        text_add_bytes(&link->rest, m->body, m->size);
        amqp_write_rest(link);
    }
    return status;
}

static bool may_publish(const struct amqp_link *link)
{
    return !link->blocked && !link->rest.size && link->next - link->oldest < AMQP_UNCONFIRMED_LIMIT;
}

static uint64_t next_number(struct amqp_link *link)
{
    link->told[link->next % AMQP_UNCONFIRMED_LIMIT] = false;
    return link->next++;
}

enum err amqp_link_publish(struct amqp_link *link, const struct msg *m, uint64_t *number)
{
    struct amqp_outgoing out;
    bool large;
    int status;
    enum err e;

    if (!amqp_link_is_up(link))
        return ERR_AWAY;
    if (m->size > AMQP_BODY_LIMIT)
        return ERR_RANGE;
    if ((e = amqp_outgoing_fill(&out, m, link->next)))
        return e;
    if (!may_publish(link))
        return ERR_FULL;

    large = out.size + m->size > link->budget / 2;
    if (room(link) < (large ? link->budget / 2 : out.size + m->size))
        return later(link);
    status = large ? begin_large(link, &out, m) : gather_whole(link, &out, m);
    if (status != AMQP_STATUS_OK) {
        amqp_break(link, amqp_error_string2(status));
        return ERR_AWAY;
    }
    note_progress(link);
    if (number)
        *number = link->next;
    (void)next_number(link);
    return ERR_OK;
}
