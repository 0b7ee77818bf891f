#pragma once

#include "common/json/json_scan.h"
#include "gateway/gateway.h"

/*
 * returns - clients that come back for their session (spec 1.6; contract, "ActiveStack over plain
 * WebSocket"), in both ways: with the signed session, which is verified here, and with a bare
 * ReconnectRequest, of which the agents verify everything.
 *
 * A socket keeps its own, fresh client id. Only one that is not logged in, nor just about to be,
 * may return (else error -115). What cannot be a return is refused by a ConnectResponse without a
 * client id, whose `data` says why; the client may then log in.
 */

/* {"reconnectId": "<signed session>", ...}. Who had not logged in before is just connected. */
void returns_special(struct gateway *g, struct client *c, struct json_span content);

/* A ReconnectRequest with userId, token, deviceId, existingClientId and existingClientIds. */
void returns_request(struct gateway *g, struct client *c, struct json_span request,
                     const char *message_id);
