#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/address.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "gateway/door/rules.h"
#include "gateway/metrics.h"

/*
 * door - who may come in: the operator's rules (rules.h) for sockets and for their upgrades to
 * WebSockets.
 *
 * A socket is let in by what its address has open, and how often it comes. An upgrade is let in by
 * how often the client's address asks, and all together; by the page that asks (origins.h); and by
 * what the address has open. The client's address is its socket's, or what a trusted proxy says
 * (forwarded.h); sockets of such proxies are not limited. IPv6 addresses of one /64 count as one.
 *
 * Whoever is refused is counted by the reason, and logged, though not each of many.
 *
 * Threads: belongs to the socket thread.
 */

struct door;
struct holder;

/* One socket. */
struct visitor {
    struct address peer;                   /* the other end of the socket */
    struct address from;                   /* the client: is known when its upgrade is let in */
    struct holder *holder, *client_holder; /* of the door: where it is counted, or NULL */
};

/* What an upgrade says of itself; NULL: nothing. */
struct upgrade {
    const char *origin;
    const char *host;
    const char *forwarded; /* X-Forwarded-For */
};

/* A door without rules, and so without limits; nobody's page may come in. `most` is how many
 * visitors there will usually be at most; `m` is borrowed. */
_must_check_ enum err door_create(size_t most, struct metrics *m, struct door **out);

/* From now on these, which are taken over. Who is in stays in. */
void door_set_rules(struct door *d, struct door_rules *taken);

/* After the last visitor has left. NULL is allowed. */
void door_destroy(struct door *d);

/* Lets a socket in: the visitor is good until door_leave(). NULL: refused. */
struct visitor *door_enter(struct door *d, const struct address *peer, int64_t now_ms);

/* Lets an upgrade in: 0; or refuses it, with a status of HTTP. */
int door_upgrade(struct door *d, struct visitor *v, const struct upgrade *u, int64_t now_ms);

/* The socket is closed. NULL is allowed. */
void door_leave(struct door *d, struct visitor *v, int64_t now_ms);

/* Now and then. */
void door_tick(struct door *d, int64_t now_ms);

DEFINE_CLEANUP(struct door *, door_destroy)
