#pragma once

#include "agents/auth/oauth/jwks.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * jwt - a token that its provider has signed (RFC 7519), in the compact form: who signed it, and
 * what it claims. Only RS256 and ES256 are known; what a token says of keys but for the name of one
 * (jku, jwk, x5c) is not looked at, and a name is only ever compared.
 */

#define JWT_BYTES_MAX 65536

/* Adds the claims, checked JSON, once the signature is that of one of the keys.
 * ERR_NOT_FOUND: none of the keys is the one that it names; ERR_REFUSED: the signature is wrong;
 * ERR_MALFORMED: it is no such token. `why`: a constant, for the log. */
_must_check_ enum err jwt_verify(const char *token, const struct jwks *keys, struct text *claims,
                                 const char **why);

/* Whom a token has to be from, and for. Lists end with NULL. */
struct jwt_wanted {
    const char *const *issuers;
    const char *const *audiences; /* ours, our client id among them */
    int64_t now_s, leeway_s;
};

/* NULL: it is; else why it is not, a constant for the log (OpenID Connect Core, section 3.1.3.7).
 */
const char *jwt_fault(struct json_span claims, const struct jwt_wanted *wanted);

/* Is one of the list in a claim, which is a string or an array of them? */
bool jwt_names(struct json_span claim, const char *const *list);
