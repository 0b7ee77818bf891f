#pragma once

#include "agents/runtime/request.h"
#include "common/base/cleanup.h"
#include "common/redis/redis_link.h"

/*
 * credentials - what a request to log in brings (spec 3.9): whom to ask, and secrets to show.
 *
 * Whoever needs a secret of a request (credential, code, token, ...) reads it here.
 */

#define CREDENTIALS_MAX 4096 /* bytes of each member, and of a token */

/* A member with a secret, at most `max` bytes: a copy in *out, for secret_free(); NULL: it is
 * absent or null, while an empty string is one. ERR_MALFORMED, with `problem` for the client: it is
 * no string, too long, or holds a NUL. */
_must_check_ enum err credentials_read_secret(const struct request *request, const char *name,
                                              size_t max, char **out, struct text *problem);

/* The same, where it must be there and not be empty. */
_must_check_ enum err credentials_need_secret(const struct request *request, const char *name,
                                              size_t max, char **out, struct text *problem);

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
