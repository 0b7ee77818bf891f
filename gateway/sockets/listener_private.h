#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <libwebsockets.h>

#include "common/base/text.h"
#include "gateway/sockets/acceptor.h"
#include "gateway/sockets/listener.h"
#include "gateway/sockets/tls.h"

/*
 * listener_private - what the parts of the listener share: listener.c (the loop), entrance.c (who
 * comes in) and connection.c (WebSockets). With http.c they are all that knows libwebsockets.
 */

#define SEND_BYTES 65536 /* are written at once */

TAILQ_HEAD(connection_list, connection);

struct listener {
    struct listener_config config;
    struct tls *tls; /* NULL: plain sockets */
    size_t max_frame_bytes;
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

/* ---- entrance.c ---- */

/* Takes in who waits at the acceptor. */
void entrance_accept(struct listener *l, struct lws_vhost *vhost);

/* An upgrade to this protocol is asked for: 0 lets it in, positive: it is refused, and answered
 * already. */
int entrance_upgrade(struct listener *l, struct lws *wsi, const char *protocol);

/* The socket is gone. */
void entrance_left(struct listener *l, struct lws *wsi);

/* ---- connection.c; the numbers are what the library's callbacks return ---- */

int connection_opened(struct listener *l, struct lws *wsi, struct connection *c);
void connection_heard(struct listener *l, struct lws *wsi, struct connection *c, const void *in,
                      size_t size);
int connection_writable(struct listener *l, struct lws *wsi, struct connection *c);
void connection_closed(struct listener *l, struct connection *c);

/* Writes what has been put into queues. */
void connections_write(struct listener *l);
