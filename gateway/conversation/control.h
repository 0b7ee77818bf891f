#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/gateway.h"

/*
 * control - what agents have done to a client's socket: its session was taken over by a newer
 * connection (4001), its login revoked (4002), or its session ended (4005).
 *
 * A client id binds once and never again, so it alone says which socket is meant.
 */

/* A message of type "control" with the reason "close": closes the socket of its header `client`
 * with its header `code`. */
void control_take(struct gateway *g, const struct msg *m);

/* Closes the socket of this client with one of the codes above, if it is still here. False for
 * another code. */
bool control_close(struct gateway *g, const char *client, size_t size, int64_t code);
