#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "common/amqp/amqp_private.h"
#include "common/base/log.h"

#define FRAMES_PER_TURN 4096    /* so that a fast sender does not keep the owner from its work */
#define BODY_KEPT       1048576 /* memory for bodies that is not given back after a message */

/* ---- A whole message ---- */

static const struct amqp_queue *queue_named(const struct amqp_link *link, const char *name)
{
    for (size_t i = 0; i < link->config.queue_count; i++)
        if (!strcmp(link->queues[i].name, name))
            return &link->queues[i];
    return NULL;
}

/* A body that was too large to be kept: refused, unless the queue wants to know. */
static bool is_refused(struct amqp_link *link, const char *name, uint64_t tag)
{
    const struct amqp_queue *queue = queue_named(link, name);

    log_warn("amqp.too_large", LOG_STR("connection", link->config.connection_name),
             LOG_STR("queue", name));
    if (queue && queue->tells_oversized)
        return false;
    if (queue && !queue->no_ack)
        amqp_link_reject(link, tag, false);
    if (link->config.events.refused)
        link->config.events.refused(link->config.arg, name);
    return true;
}

static void deliver(struct amqp_link *link, struct amqp_content *content)
{
    const amqp_basic_deliver_t *delivery = content->method.decoded;
    amqp_bytes_t queue = amqp_tag_queue(link, delivery->consumer_tag);
    struct msg m = {.body = text_str(&content->body), .size = content->body.size};

    text_clear(&link->texts);
    text_reserve(&link->texts, queue.len + 1 + amqp_incoming_room(content->properties_size));
    text_add_bytes(&link->texts, queue.bytes, queue.len);
    text_add_char(&link->texts, '\0');
    m.queue = link->texts.at;
    m.oversized = content->skipped;
    if (m.oversized && is_refused(link, m.queue, delivery->delivery_tag))
        return;
    amqp_incoming_fill(content->properties, &link->texts, &m);
    link->config.events.delivery(link->config.arg, &m, delivery->delivery_tag,
                                 delivery->redelivered);
}

static void take_back(struct amqp_link *link, struct amqp_content *content)
{
    amqp_confirm(link, amqp_returned_number(content->properties), false, AMQP_RETURNED);
}

static void end_content(struct amqp_link *link, struct amqp_content *content)
{
    if (content->method.id == AMQP_BASIC_DELIVER_METHOD)
        deliver(link, content);
    else
        take_back(link, content);
    content->method.id = 0;
    content->properties = NULL;
    text_clear(&content->body);
    if (content->body.room > BODY_KEPT)
        text_deinit(&content->body);
}

/* ---- Frames of a message ---- */

static void begin_content(struct amqp_link *link, const amqp_frame_t *frame)
{
    struct amqp_content *content = &link->contents[frame->channel - 1];

    if (content->method.id) {
        amqp_break(link, "a message within a message");
        return;
    }
    content->method = frame->payload.method;
}

static void on_header(struct amqp_link *link, const amqp_frame_t *frame)
{
    struct amqp_content *content = &link->contents[frame->channel - 1];

    if (!content->method.id || content->properties ||
        frame->payload.properties.class_id != AMQP_BASIC_CLASS) {
        amqp_break(link, "a header out of place");
        return;
    }
    content->properties = frame->payload.properties.decoded;
    content->properties_size = frame->payload.properties.raw.len;
    content->missing = frame->payload.properties.body_size;
    content->skipped =
        content->method.id != AMQP_BASIC_DELIVER_METHOD || content->missing > AMQP_BODY_LIMIT;
    if (!content->missing)
        end_content(link, content);
    else if (!content->skipped)
        text_reserve(&content->body, content->missing);
}

static void on_body(struct amqp_link *link, const amqp_frame_t *frame)
{
    struct amqp_content *content = &link->contents[frame->channel - 1];
    amqp_bytes_t part = frame->payload.body_fragment;

    if (!content->properties || part.len > content->missing) {
        amqp_break(link, "a body out of place");
        return;
    }
    if (!content->skipped)
        text_add_bytes(&content->body, part.bytes, part.len);
    content->missing -= part.len;
    if (!content->missing)
        end_content(link, content);
}

/* ---- Methods ---- */

static void on_ack(struct amqp_link *link, const amqp_frame_t *frame)
{
    const amqp_basic_ack_t *m = frame->payload.method.decoded;

    amqp_confirm(link, m->delivery_tag, m->multiple, AMQP_CONFIRMED);
}

static void on_nack(struct amqp_link *link, const amqp_frame_t *frame)
{
    const amqp_basic_nack_t *m = frame->payload.method.decoded;

    amqp_confirm(link, m->delivery_tag, m->multiple, AMQP_REFUSED);
}

/* A queue of ours was deleted: coming back declares it again. */
static void on_cancel(struct amqp_link *link, const amqp_frame_t *frame)
{
    (void)frame;
    amqp_break(link, "a consumer was cancelled");
}

static void on_closed(struct amqp_link *link, amqp_bytes_t text)
{
    char reason[256];

    (void)snprintf(reason, sizeof(reason), "%.*s", (int)text.len, (const char *)text.bytes);
    amqp_break(link, reason);
}

static void on_channel_close(struct amqp_link *link, const amqp_frame_t *frame)
{
    const amqp_channel_close_t *m = frame->payload.method.decoded;
    amqp_channel_close_ok_t ok = {0};

    (void)amqp_send_method(link->connection, frame->channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    if (frame->channel == AMQP_CHANNEL_COUNT)
        amqp_count_refused(link, m);
    else
        on_closed(link, m->reply_text);
}

static void on_count(struct amqp_link *link, const amqp_frame_t *frame)
{
    amqp_counted(link, frame->payload.method.decoded);
}

static void on_connection_close(struct amqp_link *link, const amqp_frame_t *frame)
{
    const amqp_connection_close_t *m = frame->payload.method.decoded;
    amqp_connection_close_ok_t ok = {0};

    (void)amqp_send_method(link->connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
    on_closed(link, m->reply_text);
}

static void set_blocked(struct amqp_link *link, bool blocked)
{
    link->blocked = blocked;
    log_warn(blocked ? "amqp.blocked" : "amqp.unblocked",
             LOG_STR("connection", link->config.connection_name));
    if (link->config.events.blocked)
        link->config.events.blocked(link->config.arg, blocked);
}

static void on_blocked(struct amqp_link *link, const amqp_frame_t *frame)
{
    (void)frame;
    set_blocked(link, true);
}

static void on_unblocked(struct amqp_link *link, const amqp_frame_t *frame)
{
    (void)frame;
    set_blocked(link, false);
}

typedef void frame_fn(struct amqp_link *link, const amqp_frame_t *frame);

static const struct method {
    amqp_method_number_t id;
    amqp_channel_t channel; /* on which the broker may send it; 0: the connection's */
    bool any_channel;
    frame_fn *run;
} methods[] = {
    // clang-format off
    {AMQP_BASIC_DELIVER_METHOD,        AMQP_CHANNEL_CONSUME, false, begin_content},
    {AMQP_BASIC_CANCEL_METHOD,         AMQP_CHANNEL_CONSUME, false, on_cancel},
    {AMQP_BASIC_RETURN_METHOD,         AMQP_CHANNEL_PUBLISH, false, begin_content},
    {AMQP_BASIC_ACK_METHOD,            AMQP_CHANNEL_PUBLISH, false, on_ack},
    {AMQP_BASIC_NACK_METHOD,           AMQP_CHANNEL_PUBLISH, false, on_nack},
    {AMQP_QUEUE_DECLARE_OK_METHOD,     AMQP_CHANNEL_COUNT,   false, on_count},
    {AMQP_CHANNEL_CLOSE_METHOD,        0,                    true,  on_channel_close},
    {AMQP_CONNECTION_CLOSE_METHOD,     0,                    false, on_connection_close},
    {AMQP_CONNECTION_BLOCKED_METHOD,   0,                    false, on_blocked},
    {AMQP_CONNECTION_UNBLOCKED_METHOD, 0,                    false, on_unblocked},
    // clang-format on
};

static void on_method(struct amqp_link *link, const amqp_frame_t *frame)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (methods[i].id != frame->payload.method.id)
            continue;
        if (methods[i].any_channel || methods[i].channel == frame->channel)
            methods[i].run(link, frame);
        return;
    }
    /* Answers that we did not wait for mean nothing to us. */
}

/* ---- Frames ---- */

static void dispatch(struct amqp_link *link, const amqp_frame_t *frame)
{
    bool of_channel = frame->channel >= 1 && frame->channel <= AMQP_CHANNELS;

    if (frame->frame_type == AMQP_FRAME_METHOD)
        on_method(link, frame);
    else if (frame->frame_type == AMQP_FRAME_HEADER && of_channel)
        on_header(link, frame);
    else if (frame->frame_type == AMQP_FRAME_BODY && of_channel)
        on_body(link, frame);
    /* Between two messages nothing points into the library's memory any more. */
    if (!of_channel || !link->contents[frame->channel - 1].method.id)
        amqp_maybe_release_buffers_on_channel(link->connection, frame->channel);
}

bool amqp_read(struct amqp_link *link)
{
    struct timeval at_once = {0};
    amqp_frame_t frame;
    int count;

    for (count = 0; count < FRAMES_PER_TURN && !link->broken; count++) {
        int status = amqp_simple_wait_frame_noblock(link->connection, &frame, &at_once);

        if (status == AMQP_STATUS_TIMEOUT)
            break;
        if (status == AMQP_STATUS_OK)
            dispatch(link, &frame);
        else
            amqp_break(link, amqp_error_string2(status));
    }
    return count > 0;
}
