#pragma once

#include "gateway/gateway.h"

/*
 * pushes - what agents send to clients without having been asked.
 *
 * A push carries groups of one body and its recipients, each a client id with the epoch of its
 * binding:
 *
 *   {"v":1,"groups":[{"to":[["<client id>",<epoch>],...],"body":{...,"clientId":null,...}}]}
 *
 * Each recipient gets the body with its own client id. Who is not here, or is bound anew since, is
 * skipped: the mark in Redis remains, and is sent again to where the session is then.
 */

/* A message of type "push". */
void pushes_deliver(struct gateway *g, const struct msg *m);

/* A message of type "control": closes the socket of its header `client` with its header `code`. */
void pushes_control(struct gateway *g, const struct msg *m);
