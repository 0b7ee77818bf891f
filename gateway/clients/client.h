#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/address.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "gateway/clients/open_requests.h"
#include "gateway/clients/owed.h"
#include "gateway/clients/session.h"
#include "gateway/door/rate.h"

struct dialect;

/*
 * client - one WebSocket: where its conversation stands, and what it still has to be sent.
 *
 *   NEW ──▶ CONNECTED ──▶ BINDING ──▶ READY ──▶ LEAVING
 *    any of them ──▶ CLOSING; one that may log in again: LEAVING ──▶ CONNECTED
 *
 * A client is small while it is idle: its queue is made of what stands in it.
 *
 * Threads: belongs to the socket thread, from the opening of its socket to its end.
 */

enum client_state {
    CLIENT_NEW,       /* has not said anything yet */
    CLIENT_CONNECTED, /* knows its client id */
    CLIENT_BINDING,   /* logged in; the gateway's own Connect- or ReconnectRequest is under way */
    CLIENT_READY,     /* bound: requests that need a login are served */
    CLIENT_LEAVING,   /* a logout is under way */
    CLIENT_CLOSING,   /* will be closed when its queue has left; what it still says is ignored */
    CLIENT_STATE_COUNT
};

/* A text frame on its way to the client. */
struct client_frame {
    struct client_frame *next;
    size_t size;
    char bytes[];
};

/* What a client asks of its socket; given by the listener. */
struct client_wire {
    void (*want_write)(void *socket);        /* something waits to be sent */
    void (*pause)(void *socket, bool pause); /* read nothing more from it, or do again */
    /* The last frame waits: kill the socket when nothing happens on it for so long. */
    void (*closing)(void *socket, int patience_s);
};

struct client_limits {
    size_t send_bytes;  /* waiting to be sent; beyond, the client is closed with 4003 */
    size_t pause_bytes; /* beyond, nothing more is read from it */
    struct rate requests;
};

TAILQ_HEAD(client_list, client);

struct client {
    enum client_state state;
    const struct dialect *dialect; /* what it speaks */
    bool paused;
    bool keeps;  /* acknowledges replies: what it asks stays open until it has */
    bool behind; /* of slow.c: reads so slowly that pushes for it are dropped */
    bool waits;  /* of slow.c: stands in its list of those whose queue waits to be written */
    struct address address;
    struct session session;
    bool bound;             /* the agents may hold a binding under its client id */
    bool returning;         /* binds by a ReconnectRequest */
    bool unannounced;       /* all were announced while it was binding: it is, when it has bound */
    bool replaying;         /* has been told a part of what it missed; the next is asked for soon */
    char *return_id;        /* meanwhile: messageId of its own ReconnectRequest; owned, or NULL */
    char *connect_response; /* the last one; owned */
    char *token;            /* see client_keep_token(); owned, or NULL */
    struct open_account open;
    struct bucket requests;

    /* To be sent. */
    struct client_frame *first, *last;
    size_t queued_bytes;
    int close_code; /* 0: not closing */
    char close_reason[48];

    const struct client_wire *wire;
    const struct client_limits *limits;
    void *socket;

    struct client *next_in_bucket; /* of clients.c */

    /* Of login.c: what comes next, a login or a new signed session, and when it is due. NULL: the
     * time for a login is over while it is being bound. */
    struct client_list *due_list;
    TAILQ_ENTRY(client) by_due;
    int64_t due_ms;

    struct owed owed; /* what it has no push receipt for */

    /* Of slow.c. */
    TAILQ_ENTRY(client) by_wait;
    int64_t waits_since_ms; /* when something of its queue was last written */
};

/* A fresh client with a fresh client id. What is given is borrowed for its life. */
_must_check_ enum err client_create(const struct dialect *dialect, const struct client_wire *wire,
                                    const struct client_limits *limits, void *socket,
                                    struct client **out);

/* Its requests must have been ended. */
void client_destroy(struct client *c);

/* The one way to change the state. Impossible moves end the process: they are our own bugs. */
void client_set_state(struct client *c, enum client_state next);

/* Has it logged in (BINDING or READY), so that what needs a login is taken? */
bool client_is_logged_in(const struct client *c);

/* Keeps the token of a login until the client has been told of it (content protocol); takes it over
 * and overwrites what was kept. NULL: nothing more is to be kept. */
void client_keep_token(struct client *c, char *token);

/* Does it hold a binding (READY or LEAVING)? */
bool client_is_bound(const struct client *c);

/* May it be sent pushes? A returning client is told what it missed before it is READY. */
bool client_takes_pushes(const struct client *c);

/* May it ask something more, now? To be called once for each request. */
bool client_may_ask(struct client *c, int64_t now_ms);

/* Queues one text frame, put together from `count` pieces. Nothing happens while closing. */
struct client_piece {
    const char *at;
    size_t size;
};
void client_send_pieces(struct client *c, const struct client_piece *pieces, size_t count);
void client_send(struct client *c, const char *at, size_t size);

/* Closes the socket with this code, once its queue has left; with 4003 the queue is dropped. */
void client_close(struct client *c, int code, const char *reason);

/* The listener: what to write next (borrowed), and that it has been written. */
struct client_frame *client_next_frame(const struct client *c);
void client_frame_written(struct client *c);

DEFINE_CLEANUP(struct client *, client_destroy)
