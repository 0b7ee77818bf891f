#include <string.h>

#include "common/base/clock.h"
#include "common/protocol/close_codes.h"
#include "gateway/door/door.h"
#include "gateway/sockets/http.h"
#include "gateway/sockets/listener_private.h"
#include "gateway/sockets/ws_frame.h"

#define ROOM_KEPT     (2UL * SEND_BYTES) /* of what is put together for writing */
#define LINGER_S      2     /* for a closing client that still sends, after each piece */
#define LINGER_MAX_MS 30000 /* for all that is still coming in */

/* What the library does not put a frame around. */
#define WRITE_AS_IT_IS LWS_WRITE_HTTP

/* ---- What a client may ask of its socket ---- */

/* Written when the callback that is under way has put everything in the queue: waiting for the
 * loop to say that the socket is writable would cost more system calls than the writing. */
static void want_write(void *socket)
{
    struct connection *c = lws_wsi_user(socket);

    if (c->is_due)
        return;
    c->is_due = true;
    TAILQ_INSERT_TAIL(&c->listener->due, c, by_due);
}

static void pause_reading(void *socket, bool pause)
{
    lws_rx_flow_control(socket, !pause);
}

/* From now on the socket is killed when nothing happens on it. */
static void start_closing(void *socket, int patience_s)
{
    struct connection *c = lws_wsi_user(socket);

    c->closing_since_ms = clock_mono_ms();
    lws_set_timeout(socket, PENDING_TIMEOUT_USER_OK, patience_s);
}

static const struct client_wire wire = {want_write, pause_reading, start_closing};

/* ---- WebSocket ---- */

int connection_opened(struct listener *l, struct lws *wsi, struct connection *c)
{
    const struct visitor *visitor = lws_get_opaque_user_data(wsi);
    const char *dialect = http_dialect(wsi);

    if (!dialect)
        return -1; /* cannot be: the entrance has found it */
    c->listener = l;
    c->client = l->config.events.opened(l->config.arg, dialect, &visitor->from, &wire, wsi);
    return c->client ? 0 : -1;
}

void connection_closed(struct listener *l, struct connection *c)
{
    text_deinit(&c->incoming);
    if (c->is_due)
        TAILQ_REMOVE(&l->due, c, by_due);
    c->is_due = false;
    if (c->client)
        l->config.events.closed(l->config.arg, c->client);
    c->client = NULL;
}

/* A frame that fits one piece is read where it lies; others are put together, within the limit. */
static void take_piece(struct listener *l, struct lws *wsi, struct connection *c, const char *at,
                       size_t size)
{
    const size_t rest = lws_remaining_packet_payload(wsi);
    const bool whole = lws_is_final_fragment(wsi) && rest == 0;

    if (lws_frame_is_binary(wsi)) {
        client_close(c->client, CLOSE_BINARY, "text frames only");
    } else if (c->incoming.size + size + rest > l->max_frame_bytes) {
        client_close(c->client, CLOSE_TOO_LARGE, "frame too large");
    } else if (whole && c->incoming.size == 0) {
        l->config.events.frame(l->config.arg, c->client, at, size);
        return;
    } else {
        text_add_bytes(&c->incoming, at, size);
        if (!whole)
            return;
        l->config.events.frame(l->config.arg, c->client, c->incoming.at, c->incoming.size);
    }
    text_deinit(&c->incoming);
}

/* What is heard from needs no ping. Not told each time: the library then looks through the timers
 * of all connections. */
static void spare_a_ping(struct listener *l, struct lws *wsi, struct connection *c, int64_t now_ms)
{
    if (now_ms - c->heard_ms < l->config.ping_interval_ms / 2)
        return;
    c->heard_ms = now_ms;
    lws_validity_confirmed(wsi);
}

void connection_heard(struct listener *l, struct lws *wsi, struct connection *c, const void *in,
                      size_t size)
{
    const int64_t now_ms = clock_mono_ms();

    spare_a_ping(l, wsi, c, now_ms);
    if (c->client->state != CLIENT_CLOSING)
        take_piece(l, wsi, c, size > 0 ? in : "", size);
    else if (now_ms - c->closing_since_ms < LINGER_MAX_MS)
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LINGER_S);
}

/*
 * Frames are written with our own headers, as many as fit into one system call. The library would
 * write one at a time, and would not write a close frame at all: its own way to close, taken in a
 * writeable callback, drops the socket at once.
 */

/* A client's frames, until they fill a system call; at least one. */
static void add_frames(struct listener *l, struct client *client)
{
    struct client_frame *f;

    while ((f = client_next_frame(client)) &&
           (l->out.size == 0 || l->out.size + f->size <= SEND_BYTES)) {
        ws_frame_add_text(&l->out, f->bytes, f->size);
        metrics_add(l->config.metrics, METRIC_FRAMES_OUT, 1);
        metrics_add(l->config.metrics, METRIC_BYTES_OUT, (int64_t)f->size);
        client_frame_written(client);
    }
}

/*
 * The last frame. What the client still sends is thrown away until it answers with its own close
 * frame, or is killed: a socket that is closed with unread data would take the close with it.
 */
static void add_close(struct listener *l, struct connection *c)
{
    c->said_goodbye = true;
    ws_frame_add_close(&l->out, c->client->close_code, c->client->close_reason);
}

/* What the library had to keep back is written before its next writeable callback. */
static void go_on_writing(struct listener *l, struct lws *wsi, const struct connection *c)
{
    const bool more = client_next_frame(c->client) || (c->client->close_code && !c->said_goodbye);

    if (more || lws_partial_buffered(wsi)) {
        lws_callback_on_writable(wsi);
        l->config.events.waits(l->config.arg, c->client);
    } else {
        l->config.events.emptied(l->config.arg, c->client);
    }
}

/* Negative: the socket is broken. */
int connection_writable(struct listener *l, struct lws *wsi, struct connection *c)
{
    int written = 0;

    text_clear(&l->out);
    add_frames(l, c->client);
    if (c->client->close_code && !client_next_frame(c->client) && !c->said_goodbye)
        add_close(l, c);
    if (l->out.size > 0)
        written = lws_write(wsi, (unsigned char *)l->out.at, l->out.size, WRITE_AS_IT_IS);
    if (l->out.room > ROOM_KEPT)
        text_deinit(&l->out);
    if (written >= 0)
        go_on_writing(l, wsi, c);
    return written;
}

/* What the library could not give to the kernel goes first: then the loop has to say when. */
void connections_write(struct listener *l)
{
    struct connection *c;

    while ((c = TAILQ_FIRST(&l->due))) {
        struct lws *wsi = c->client->socket;

        TAILQ_REMOVE(&l->due, c, by_due);
        c->is_due = false;
        if (lws_partial_buffered(wsi))
            lws_callback_on_writable(wsi);
        else if (connection_writable(l, wsi, c) < 0)
            lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}
