#pragma once

#include "gateway/gateway.h"

/*
 * pushes - what agents send to clients without having been asked.
 *
 * A push carries groups of one body and its recipients. A client id binds once and never again, so
 * it alone says which binding is meant:
 *
 *   {"v":1,"groups":[{"to":["<client id>",...],
 *                     "kind":"u"|"d"|"w","of":[["<class>:<id>",<number of the send>],...],
 *                     "body":{...,"clientId":null,...}}]}
 *
 * Each recipient gets the body with its own client id, and is noted as having been sent these
 * objects under these numbers, as updates or deletes, or these watched values (w), each by its item
 * "~<class>:<id>\t<field>\t<parameters>" (owed.h). Who is not here, reads too slowly
 * (slow.h), or owes receipts for gateway.max_unacknowledged objects, is skipped: the mark in Redis
 * remains, and is sent again to where the session is then.
 */

/* A message of type "push", or a reply that tells a returning client a part of what it missed. */
void pushes_deliver(struct gateway *g, const struct msg *m);

/* A message of type "again": a reply that its client (header `client`) has not acknowledged. Who is
 * not here, or reads too slowly, is skipped: it comes again. */
void pushes_again(struct gateway *g, const struct msg *m);
