#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/gateway.h"

/*
 * drain - the farewell of a gateway that stops (design section 7): everybody is told when to come
 * back, spread over a window, and goes when nothing of theirs is open.
 *
 * Threads: belongs to the socket thread.
 */

struct drain {
    size_t clients, away; /* when it began; sent away so far */
    int64_t last_away_ms; /* monotonic */
};

void drain_begin(struct drain *d, struct gateway *g);

/* Sends away who has nothing open. False: everybody has gone, or had the time to. */
bool drain_goes_on(struct drain *d, struct gateway *g);

/* Each gets a place of its own in the window, however late it goes. */
void drain_send_away(struct drain *d, struct gateway *g, struct client *c);
