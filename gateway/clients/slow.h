#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/gateway.h"

/*
 * slow - clients that read slowly, or not at all (design section 7): each costs itself and never
 * its neighbours, and misses nothing.
 *
 * Pushes are put into a client's queue while it holds no more than gateway.max_push_bytes. Beyond,
 * the client is behind: its pushes are dropped here and wait as marks in the store, until the queue
 * is empty; then the agents are asked to tell it the newest state of what it missed.
 *
 * Replies cannot wait elsewhere. What they bring beyond gateway.max_send_bytes closes the socket
 * with 4003 (client.h), and so does a queue of which nothing has left for gateway.max_send_age_ms.
 */

/* May a push go to this client now? If not, it is behind from now on. */
bool slow_takes_push(struct gateway *g, struct client *c);

/* Is there room in its queue for what comes again by itself? */
bool slow_has_room(const struct gateway *g, const struct client *c);

/* Some of its queue has been written, and the rest waits for the socket. */
void slow_waits(struct gateway *g, struct client *c);

/* Its queue is empty. */
void slow_emptied(struct gateway *g, struct client *c);

/* It goes. */
void slow_forget(struct gateway *g, struct client *c);

/* Every few moments: closes those of whose queue nothing has left for too long. */
void slow_tick(struct gateway *g, int64_t now_ms);
