#pragma once

#include <stddef.h>

#include "gateway/gateway.h"

/*
 * incoming - what a client says: from a whole frame to special messages, requests, refusals.
 *
 * The gates stand in a fixed order: the frame (dialect), a login where one is needed, an agent
 * that serves the operation, and the client's limits.
 */

/* One whole text frame. */
void incoming_frame(struct gateway *g, struct client *c, const char *text, size_t size);
