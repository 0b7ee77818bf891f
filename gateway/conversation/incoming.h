#pragma once

#include <stddef.h>

#include "gateway/gateway.h"

/*
 * incoming - what a client says, in whichever dialect (dialect.h).
 */

/* One whole text frame. */
void incoming_frame(struct gateway *g, struct client *c, const char *text, size_t size);
