#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "gateway/clients/client.h"
#include "gateway/metrics.h"
#include "gateway/sockets/http.h"
#include "gateway/sockets/tls.h"

/*
 * listener - the sockets: HTTP, WebSocket upgrades, whole frames in and out, pings.
 *
 * The only module that knows libwebsockets, with its helper http.h. It turns the library's
 * callbacks into a handful of calls, below, and knows nothing of what the frames mean.
 *
 * Threads: listener_run() is the socket thread; all callbacks run in it, and everything of a
 *          client happens there. The functions that other threads may call say so.
 */

struct listener;

struct listener_events {
    /* A WebSocket was opened, for a dialect ("activestack" or "content"), from an address; the
     * client is the caller's until `closed`. */
    struct client *(*opened)(void *arg, const char *dialect, const struct address *from,
                             const struct client_wire *wire, void *socket);
    /* A whole text frame, borrowed for the call. */
    void (*frame)(void *arg, struct client *c, const char *text, size_t size);
    void (*closed)(void *arg, struct client *c);
    /* Everything that waited for the client has been given to the kernel. */
    void (*emptied)(void *arg, struct client *c);
    /* Some of it has, and the rest waits until the kernel takes more. */
    void (*waits)(void *arg, struct client *c);
    /* Plain HTTP: adds the page and returns the status. */
    http_page_fn *page;
    /* After listener_await_turn(), when all that was there to be read has been. */
    void (*turn)(void *arg);
    /* After listener_wake(), and every LISTENER_TICK_MS. */
    void (*work)(void *arg);
    void (*tick)(void *arg);
};

#define LISTENER_TICK_MS 100

struct listener_config {
    const char *host;
    uint16_t port;
    size_t max_sockets;
    int64_t ping_interval_ms; /* silence after which a ping is sent; in effect whole seconds */
    int64_t ping_timeout_ms;  /* silence after which the socket is closed */
    int64_t handshake_s;      /* for TLS, and for the head of a request */
    struct tls_files tls;     /* its texts are borrowed */
    struct door *door;        /* borrowed */
    struct metrics *metrics;
    struct listener_events events;
    void *arg;
};

/* Listens from now on; nothing is served before listener_run(). Errors are logged: ERR_CONFIG,
 * ERR_IO. */
_must_check_ enum err listener_create(const struct listener_config *config, struct listener **out);

/* Serves until listener_end(). */
void listener_run(struct listener *l);

/* After listener_run() has returned. NULL is allowed. */
void listener_destroy(struct listener *l);

/* The socket thread: `turn` is called once, before it waits for the sockets again. */
void listener_await_turn(struct listener *l);

/* Any thread: `work` is called soon. */
void listener_wake(struct listener *l);

/* Any thread: listener_run() closes all sockets and returns. */
void listener_end(struct listener *l);

/* The socket thread, or before it runs: how large a frame of a client may be; 0 until it is said.
 */
void listener_set_max_frame(struct listener *l, size_t bytes);

/* The socket thread: reads the files of tls again, for the sockets that come from now on. If they
 * are not good, which is logged, everything stays as it was. */
void listener_reload(struct listener *l);

/* The socket thread: takes no more connections. */
void listener_stop_accepting(struct listener *l);

DEFINE_CLEANUP(struct listener *, listener_destroy)
