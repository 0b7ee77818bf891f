#pragma once

#include "common/protocol/operations.h"
#include "gateway/gateway.h"

/*
 * own - what the gateway asks the agents on behalf of a client: connect, reconnect, hibernate,
 * disconnect, disconnectAuth. Each body names the session, as the gateway knows it. Of the token
 * that a client came in with they have the hash, as which it is stored: see SECRET_HASHED.
 */

/* One of these, by its name. */
const struct operation *own_operation(const char *name);

/* Asks, and waits for the reply. `message_id` may be NULL. ERR_FULL, ERR_AWAY. */
_must_check_ enum err own_start(struct gateway *g, struct client *c, const struct operation *o,
                                enum purpose purpose, const char *message_id);

/* Tells, for a session that no longer has a socket here; no reply is awaited. */
void own_farewell(struct gateway *g, const char *operation, const struct session *s);
