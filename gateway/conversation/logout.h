#pragma once

#include "common/protocol/response.h"
#include "gateway/gateway.h"

/*
 * logout - how a client logs out (spec 1.8): first its session ends, then its token, by the
 * gateway's own request, then its conversation, as its dialect has it.
 */

/* The reply to the logout, and its failure. The request is ended by the caller, here and below. */
void logout_ended(struct gateway *g, struct open_request *r, const struct msg *m);
void logout_not_ended(struct gateway *g, struct open_request *r, enum response_code code,
                      const char *desc);

/* The same of the last step. */
void logout_left(struct gateway *g, struct open_request *r, const struct msg *m);
void logout_not_left(struct gateway *g, struct open_request *r, enum response_code code,
                     const char *desc);
