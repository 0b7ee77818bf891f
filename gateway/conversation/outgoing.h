#pragma once

#include "common/protocol/response.h"
#include "gateway/conversation/dialect.h"
#include "gateway/gateway.h"

/*
 * outgoing - what the gateway itself says to a client. What agents say goes out as it came.
 */

/* {"gatewayConnectAck": ...}: the signed session as it is now. */
void outgoing_session(struct gateway *g, struct client *c);

/* {"ack": ...}: the request is safe. */
void outgoing_ack(struct gateway *g, struct client *c, const char *message_id);

/* A ConnectResponse that refuses a return: without a client id, with the reason in `data`. */
void outgoing_refusal(struct gateway *g, struct client *c, const char *message_id,
                      const char *reason);

/* An error in the words of the client's dialect; `desc` is for the client's eyes. */
void outgoing_failure(struct gateway *g, const struct asked *asked, enum response_code code,
                      const char *desc);
void outgoing_failure_of(struct gateway *g, struct open_request *r, enum response_code code,
                         const char *desc);

/* The same where no operation is known, or its name says nothing. `message_id` may be NULL. */
void outgoing_error(struct gateway *g, struct client *c, const char *message_id,
                    enum response_code code, const char *desc);
