#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/protocol/response.h"
#include "gateway/gateway.h"

/*
 * dialect - where the conversations of the two protocols differ. What they share knows a client's
 * dialect only through this table.
 *
 * The gates of what a client says stand in a fixed order in both: the frame (gateway/dialect/), a
 * login where one is needed, an agent that serves the operation, and the client's limits.
 */

/* What an error is about. */
struct asked {
    struct client *client;
    const struct operation *operation; /* NULL: unknown */
    const char *message_id;            /* NULL: none */
};

struct dialect {
    const char *name;         /* subprotocol; path, behind its slash; header of requests */
    bool has_signed_sessions; /* each login or return is answered with one */
    bool stays_after_logout;  /* the socket may log in again, under a fresh client id */

    /* One whole text frame. */
    void (*take)(struct gateway *g, struct client *c, const char *text, size_t size);

    /* Adds the frame that says an error of the gateway's own; `desc` is for the client's eyes. */
    void (*add_error)(struct text *out, const struct asked *asked, enum response_code code,
                      const char *desc);

    /* The agents' answer to a login, which may lead to a binding. */
    void (*login)(struct gateway *g, struct open_request *r, const struct msg *m);

    /* The client has been bound: sends it the reply that says so. */
    void (*bound)(struct gateway *g, struct client *c, const struct msg *m);

    /* Tells the client that its logout is complete: the reply to its last step. */
    void (*say_left)(struct gateway *g, struct open_request *r, const struct msg *m);
};

extern const struct dialect dialect_activestack, dialect_content;
