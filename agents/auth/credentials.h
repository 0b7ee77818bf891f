#pragma once

#include "agents/runtime/request.h"
#include "common/base/cleanup.h"
#include "common/redis/redis_link.h"

/*
 * credentials - what an AuthenticationRequest brings (spec 3.9): whom to ask, and a secret to show.
 */

#define CREDENTIALS_MAX 4096 /* bytes of each member, and of a token */

struct credentials {
    char *provider;   /* authProvider */
    char *credential; /* NULL: none */
};

/* Reads them from the body; *out owns copies. ERR_MALFORMED, with `problem` for the client and *out
 * empty: authProvider is missing or empty; one of them is no string, too long or holds a NUL. */
_must_check_ enum err credentials_read(const struct request *request, struct credentials *out,
                                       struct text *problem);

/* Adds to a call what names the request among all of all gateways, also when it is delivered again;
 * "" for one that was published by hand. */
void credentials_add_request_name(struct redis_call *call, const struct request *request);

/* Leaves nothing of the secret in memory. */
void credentials_deinit(struct credentials *credentials);
