#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/protocol/response.h"

/*
 * announcements - how the agents learn that this gateway lives, and which clients it holds (design
 * section 7).
 *
 * The gateway renews its lease every gateway.alive_ms (`gatewayAlive`). When it is told of another
 * lease than that under which it has announced its clients last, since the one before had ended, or
 * messages to the gateway may have been lost, it announces all clients that are bound; when one
 * client alone has missed something, that one. An announced client is bound to this gateway (again)
 * and is told at once all that it has not acknowledged.
 *
 *   gatewayAlive {"v":1,"gateway":"gateway.<id>","clients":<n>}     -> {"v":1,"lease":<number>}
 *   announce     {"v":1,"gateway":"gateway.<id>","clients":["<id>",...]}
 *                                                 -> {"v":1,"close":[["<id>",<close code>],...]}
 *
 * The answer to an announcement names the clients that are bound elsewhere, or unknown: their
 * sockets are closed. An announcement that is not answered is made again, for all.
 */

struct gateway;
struct client;
struct msg;
struct open_request;

struct announcements {
    int64_t alive_at_ms; /* when the lease is renewed next */
    bool alive_is_open;  /* it has not been answered */
    bool all_are_due;    /* with the next renewal */
    int64_t lease;       /* under which all were announced; 0: none */
};

void announcements_tick(struct gateway *g, int64_t now_ms);

/* All clients that are bound, and one. Who is not bound yet is announced when it is: its binding
 * may have ended, and pushes to it been lost, before the gateway hears of it. */
void announcements_all(struct gateway *g);
void announcements_one(struct gateway *g, struct client *c);

/* Replies to the gateway's own requests, and their failure; the request is ended by the caller. */
void announcements_lease(struct gateway *g, struct open_request *r, const struct msg *m);
void announcements_taken(struct gateway *g, struct open_request *r, const struct msg *m);
void announcements_not_heard(struct gateway *g, struct open_request *r, enum response_code code,
                             const char *desc);
