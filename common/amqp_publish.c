#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "common/amqp_private.h"

/*
 * Why publishing cannot block: the library's write would wait for room in the kernel's send buffer,
 * without a limit. So nothing is written that might not fit: the kernel tells how much it holds
 * (SIOCOUTQ), and while that and the message are within a quarter of the buffer, there is room.
 * A message larger than half of this budget leaves in pieces: the first at once, the rest, which
 * we keep, in the next turns.
 */

#define FRAME_OVERHEAD 8 /* type, channel, size, end */

static size_t room(const struct amqp_link *link)
{
    int queued = 0;

    if (ioctl(amqp_get_sockfd(link->connection), SIOCOUTQ, &queued) || queued < 0)
        return 0;
    return (size_t)queued < link->budget ? link->budget - (size_t)queued : 0;
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

static int write_whole(struct amqp_link *link, const struct amqp_outgoing *out, const struct msg *m)
{
    return amqp_basic_publish(link->connection, AMQP_CHANNEL_PUBLISH, amqp_empty_bytes,
                              amqp_bytes_of(m->queue), m->mandatory, 0, &out->properties,
                              amqp_bytes_sized(m->body, m->size));
}

static int begin_large(struct amqp_link *link, struct amqp_outgoing *out, const struct msg *m)
{
    amqp_frame_t header = {.frame_type = AMQP_FRAME_HEADER, .channel = AMQP_CHANNEL_PUBLISH};
    amqp_basic_publish_t method = {.routing_key = amqp_bytes_of(m->queue),
                                   .mandatory = m->mandatory};
    int status = amqp_send_method(link->connection, AMQP_CHANNEL_PUBLISH, AMQP_BASIC_PUBLISH_METHOD,
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
    status = large ? begin_large(link, &out, m) : write_whole(link, &out, m);
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
