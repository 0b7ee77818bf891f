#include "gateway/sockets/listener.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "gateway/sockets/acceptor.h"
#include "gateway/sockets/http.h"
#include "gateway/sockets/ws_frame.h"

/*
 * Sizes that the library's memory per connection and number of system calls depend on: what one
 * connection reads at once, what all share for reading, and what is written at once.
 */
#define RECEIVE_BYTES 1024
#define SHARED_BYTES  16384
#define SEND_BYTES    65536
#define ROOM_KEPT     (2UL * SEND_BYTES) /* of what is put together for writing */

#define SPARE_SOCKETS 64 /* beyond the clients: pages, the listening socket, the loop's own */
#define HEADER_BYTES  8192
#define HANDSHAKE_S   10
#define LINGER_S      2              /* for a closing client that still sends, after each piece */
#define LINGER_MAX_MS 30000          /* for all that is still coming in */
#define ACCEPTOR      "the acceptor" /* no client can offer this: it has a space */

/* What the library does not put a frame around. */
#define WRITE_AS_IT_IS LWS_WRITE_HTTP

TAILQ_HEAD(connection_list, connection);

struct listener {
    struct listener_config config;
    struct connection_list due; /* have something to write */
    struct text out;            /* what is just being written */
    struct lws_context *context;
    struct acceptor acceptor;
    struct lws *acceptor_wsi;
    lws_sorted_usec_list_t tick, turn;
    bool turn_awaited;
    lws_retry_bo_t liveness;
    atomic_bool ending;
    bool destroyed; /* the context is on its way out */
};

/* What the library keeps for us with each connection. */
struct connection {
    struct listener *listener; /* NULL: plain HTTP, like `client` */
    struct client *client;
    TAILQ_ENTRY(connection) by_due;
    bool is_due;          /* something waits to be written */
    struct text incoming; /* a frame that comes in pieces */
    struct text page;
    int64_t heard_ms, closing_since_ms; /* monotonic */
    bool said_goodbye;                  /* our close frame is out */
};

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

static int on_established(struct listener *l, struct lws *wsi, struct connection *c)
{
    const struct address from = address_of_peer(lws_get_socket_fd(wsi));
    const char *dialect = http_dialect(wsi);

    if (!dialect)
        return -1; /* cannot be: http_upgrade() has found it */
    c->listener = l;
    c->client = l->config.events.opened(l->config.arg, dialect, &from, &wire, wsi);
    return c->client ? 0 : -1;
}

static void on_closed(struct listener *l, struct connection *c)
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
        client_close(c->client, 1003, "text frames only");
    } else if (c->incoming.size + size + rest > l->config.max_frame_bytes) {
        client_close(c->client, 1009, "frame too large");
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

static void on_receive(struct listener *l, struct lws *wsi, struct connection *c, const void *in,
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
static int write_out(struct listener *l, struct lws *wsi, struct connection *c)
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
static void write_due(struct listener *l)
{
    struct connection *c;

    while ((c = TAILQ_FIRST(&l->due))) {
        struct lws *wsi = c->client->socket;

        TAILQ_REMOVE(&l->due, c, by_due);
        c->is_due = false;
        if (lws_partial_buffered(wsi))
            lws_callback_on_writable(wsi);
        else if (write_out(l, wsi, c) < 0)
            lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

/* ---- The loop ---- */

static void on_woken(struct listener *l)
{
    if (l->destroyed)
        return;
    if (atomic_load(&l->ending)) {
        l->destroyed = true;
        lws_sul_cancel(&l->tick);
        lws_sul_cancel(&l->turn);
        lws_context_destroy(l->context);
        return;
    }
    l->config.events.work(l->config.arg);
    write_due(l);
}

static void on_tick(lws_sorted_usec_list_t *tick)
{
    struct listener *l = lws_container_of(tick, struct listener, tick);

    lws_sul_schedule(l->context, 0, tick, on_tick, LISTENER_TICK_MS * LWS_US_PER_MS);
    l->config.events.tick(l->config.arg);
    write_due(l);
}

static void on_turn(lws_sorted_usec_list_t *turn)
{
    struct listener *l = lws_container_of(turn, struct listener, turn);

    l->turn_awaited = false;
    l->config.events.turn(l->config.arg);
    write_due(l);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct listener *l = lws_context_user(lws_get_context(wsi));
    struct connection *c = user;

    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return http_upgrade(wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(l, wsi, c);
    case LWS_CALLBACK_RECEIVE:
        on_receive(l, wsi, c, in, size);
        write_due(l);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (write_out(l, wsi, c) < 0)
            return -1;
        write_due(l);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return c->said_goodbye; /* then it is the answer, and needs none */
    case LWS_CALLBACK_CLOSED:
        on_closed(l, c);
        return 0;
    case LWS_CALLBACK_HTTP:
        return http_answer(wsi, l->config.events.page, l->config.arg, &c->page);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_write(wsi, &c->page);
    case LWS_CALLBACK_CLOSED_HTTP:
        if (c)
            text_deinit(&c->page);
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        on_woken(l);
        return 0;
    default:
        return 0;
    }
}

static int on_accept(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t size)
{
    struct listener *l = lws_context_user(lws_get_context(wsi));
    int fd;

    (void)user;
    (void)in;
    (void)size;
    if (reason == LWS_CALLBACK_RAW_RX_FILE)
        while ((fd = acceptor_next(&l->acceptor)) >= 0)
            (void)lws_adopt_socket_vhost(lws_get_vhost(wsi), fd); /* closes it when it cannot */
    return 0;
}

#define DIALECT(subprotocol)                                                                 \
    {                                                                                        \
        .name = (subprotocol), .callback = on_event,                                         \
        .per_session_data_size = sizeof(struct connection), .rx_buffer_size = RECEIVE_BYTES, \
        .tx_packet_size = SEND_BYTES                                                         \
    }

/* A client that offers no subprotocol gets the first one, as does plain HTTP. */
static const struct lws_protocols protocols[] = {
    DIALECT("activestack"),
    DIALECT("content"),
    {.name = ACCEPTOR, .callback = on_accept},
    {0},
};

/* ---- Creation ---- */

/* Most of what the library complains about is the fault of some client. */
static void log_library(int level, const char *line)
{
    (void)level;
    log_warn("listener.library", LOG_STR("text", line));
}

static uint16_t seconds(int64_t ms)
{
    const int64_t s = (ms + 999) / 1000;

    return (uint16_t)(s < UINT16_MAX ? s : UINT16_MAX);
}

static enum err create_context(struct listener *l)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN,
        .user = l,
        .server_string = "activestack",
        .pt_serv_buf_size = SHARED_BYTES,
        .max_http_header_data = HEADER_BYTES,
        .fd_limit_per_thread = (unsigned)(l->config.max_sockets + SPARE_SOCKETS),
        .timeout_secs = HANDSHAKE_S,
        .retry_and_idle_policy = &l->liveness,
    };

    l->liveness.secs_since_valid_ping = seconds(l->config.ping_interval_ms);
    l->liveness.secs_since_valid_hangup = seconds(l->config.ping_timeout_ms);
    if (l->liveness.secs_since_valid_hangup <= l->liveness.secs_since_valid_ping)
        l->liveness.secs_since_valid_hangup = l->liveness.secs_since_valid_ping + 1;
    lws_set_log_level(LLL_ERR | LLL_WARN, log_library);
    l->context = lws_create_context(&info);
    if (l->context)
        return ERR_OK;
    log_error("listener.library_failed", LOG_STR("hint", "is libwebsockets-evlib-uv installed?"));
    return ERR_IO;
}

/* The library closes its descriptor itself, so it gets one of its own. */
static enum err adopt_acceptor(struct listener *l)
{
    lws_sock_file_fd_type fd = {.filefd = dup(l->acceptor.fd)};

    l->acceptor_wsi = lws_adopt_descriptor_vhost(lws_get_vhost_by_name(l->context, "default"),
                                                 LWS_ADOPT_RAW_FILE_DESC, fd, ACCEPTOR, NULL);
    return l->acceptor_wsi ? ERR_OK : ERR_IO;
}

enum err listener_create(const struct listener_config *config, struct listener **out)
{
    _cleanup_(listener_destroyp) struct listener *l = calloc(1, sizeof(*l));
    enum err e;

    if (!l)
        return ERR_NOMEM;
    l->config = *config;
    TAILQ_INIT(&l->due);
    e = acceptor_open(config->host, config->port, &l->acceptor);
    if (e) {
        log_error("listener.cannot_listen", LOG_STR("host", config->host),
                  LOG_I64("port", config->port), LOG_STR("reason", strerror(errno)));
        return e;
    }
    e = create_context(l);
    if (!e)
        e = adopt_acceptor(l);
    if (e)
        return e;
    log_info("listener.ready", LOG_STR("host", config->host), LOG_I64("port", l->acceptor.port));
    *out = l;
    l = NULL;
    return ERR_OK;
}

void listener_run(struct listener *l)
{
    lws_sul_schedule(l->context, 0, &l->tick, on_tick, LISTENER_TICK_MS * LWS_US_PER_MS);
    while (!l->destroyed && lws_service(l->context, 0) >= 0)
        ;
}

void listener_destroy(struct listener *l)
{
    if (!l)
        return;
    if (l->context)
        lws_context_destroy(l->context);
    acceptor_close(&l->acceptor);
    text_deinit(&l->out);
    free(l);
}

/* The library serves timers after each round of sockets: one that is due comes before the wait. */
void listener_await_turn(struct listener *l)
{
    if (l->turn_awaited)
        return;
    l->turn_awaited = true;
    lws_sul_schedule(l->context, 0, &l->turn, on_turn, 1);
}

void listener_wake(struct listener *l)
{
    lws_cancel_service(l->context);
}

void listener_end(struct listener *l)
{
    atomic_store(&l->ending, true);
    lws_cancel_service(l->context);
}

void listener_stop_accepting(struct listener *l)
{
    if (!l->acceptor_wsi)
        return;
    lws_set_timeout(l->acceptor_wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    l->acceptor_wsi = NULL;
    acceptor_close(&l->acceptor);
}
