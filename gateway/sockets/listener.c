#include "gateway/sockets/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "gateway/sockets/http.h"
#include "gateway/sockets/listener_private.h"

/*
 * Sizes that the library's memory per connection and number of system calls depend on: what one
 * connection reads at once, and what all share for reading. SEND_BYTES is the third.
 */
#define RECEIVE_BYTES 1024
#define SHARED_BYTES  16384

#define SPARE_SOCKETS 64 /* beyond the clients: pages, the listening socket, the loop's own */
/* The context of OpenSSL is ours to fill: tls.h. */
#define TLS_OPTIONS (LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX)

#define ACCEPTOR "the acceptor" /* no client can offer this: it has a space */

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
    connections_write(l);
}

static void on_tick(lws_sorted_usec_list_t *tick)
{
    struct listener *l = lws_container_of(tick, struct listener, tick);

    lws_sul_schedule(l->context, 0, tick, on_tick, LISTENER_TICK_MS * LWS_US_PER_MS);
    l->config.events.tick(l->config.arg);
    connections_write(l);
}

static void on_turn(lws_sorted_usec_list_t *turn)
{
    struct listener *l = lws_container_of(turn, struct listener, turn);

    l->turn_awaited = false;
    l->config.events.turn(l->config.arg);
    connections_write(l);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct listener *l = lws_context_user(lws_get_context(wsi));
    struct connection *c = user;

    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return entrance_upgrade(l, wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        return connection_opened(l, wsi, c);
    case LWS_CALLBACK_RECEIVE:
        connection_heard(l, wsi, c, in, size);
        connections_write(l);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (connection_writable(l, wsi, c) < 0)
            return -1;
        connections_write(l);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return c->said_goodbye; /* then it is the answer, and needs none */
    case LWS_CALLBACK_CLOSED:
        connection_closed(l, c);
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
    case LWS_CALLBACK_WSI_DESTROY:
        entrance_left(l, wsi);
        return 0;
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        tls_set_up(l->tls, user);
        return 0;
    default:
        return 0;
    }
}

static int on_accept(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t size)
{
    struct listener *l = lws_context_user(lws_get_context(wsi));

    (void)user;
    (void)in;
    (void)size;
    if (reason == LWS_CALLBACK_RAW_RX_FILE)
        entrance_accept(l, lws_get_vhost(wsi));
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
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
                   (l->tls ? TLS_OPTIONS : 0),
        .alpn = "http/1.1",
        .user = l,
        .server_string = "activestack",
        .pt_serv_buf_size = SHARED_BYTES,
        .max_http_header_data = HTTP_HEAD_BYTES,
        .fd_limit_per_thread = (unsigned)(l->config.max_sockets + SPARE_SOCKETS),
        .timeout_secs = (unsigned)l->config.handshake_s,
        .timeout_secs_ah_idle = (unsigned)l->config.handshake_s,
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
    e = tls_create(&config->tls, config->metrics, &l->tls);
    if (!e)
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
    tls_destroy(l->tls);
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

void listener_set_max_frame(struct listener *l, size_t bytes)
{
    l->max_frame_bytes = bytes;
}

void listener_reload(struct listener *l)
{
    if (l->tls)
        tls_reload(l->tls);
}

void listener_stop_accepting(struct listener *l)
{
    if (!l->acceptor_wsi)
        return;
    lws_set_timeout(l->acceptor_wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    l->acceptor_wsi = NULL;
    acceptor_close(&l->acceptor);
}
