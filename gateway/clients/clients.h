#pragma once

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "gateway/clients/client.h"

/*
 * clients - the clients of this gateway, by client id.
 *
 * Threads:   belongs to the socket thread.
 * Ownership: the table borrows the clients; each takes itself out before it goes.
 */

struct clients;

_must_check_ enum err clients_create(struct clients **out);
void clients_destroy(struct clients *t);

void clients_add(struct clients *t, struct client *c);
void clients_remove(struct clients *t, struct client *c);

/* By client id, `size` bytes of it; or NULL. */
struct client *clients_find(const struct clients *t, const char *id, size_t size);

size_t clients_count(const struct clients *t);

/* Calls `visit` for each client; `index` counts them from 0. It must not add or remove any. */
void clients_visit(const struct clients *t,
                   void (*visit)(void *arg, struct client *c, size_t index), void *arg);

DEFINE_CLEANUP(struct clients *, clients_destroy)
