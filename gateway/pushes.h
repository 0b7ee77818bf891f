#pragma once

#include "gateway/gateway.h"

/*
 * pushes - what agents send to clients without having been asked.
 *
 * A push carries groups of one body and its recipients. A client id binds once and never again, so
 * it alone says which binding is meant:
 *
 *   {"v":1,"groups":[{"to":["<client id>",...],"body":{...,"clientId":null,...}}]}
 *
 * Each recipient gets the body with its own client id. Who is not here is skipped: the mark in
 * Redis remains, and is sent again to where the session is then.
 */

/* A message of type "push", or a reply that tells a returning client a part of what it missed. */
void pushes_deliver(struct gateway *g, const struct msg *m);

/* A message of type "again": a reply that its client (header `client`) has not acknowledged. */
void pushes_again(struct gateway *g, const struct msg *m);
