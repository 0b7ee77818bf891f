#pragma once

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/json/json_scan.h"

/*
 * jwks - the public keys with which a provider signs, as its key set tells them (RFC 7517).
 *
 * Only keys that can verify RS256 or ES256 are kept: RSA of 2048 bits or more, EC on P-256, neither
 * meant for another use or algorithm.
 */

typedef struct evp_pkey_st EVP_PKEY; /* of OpenSSL */

enum jwk_algorithm { JWK_RS256, JWK_ES256 };

struct jwk {
    char *id; /* NULL: it has none */
    enum jwk_algorithm algorithm;
    EVP_PKEY *key;
};

struct jwks {
    struct jwk *at;
    size_t count;
};

/* Reads {"keys": [...]}. ERR_MALFORMED: it is none. A zeroed struct is empty. */
_must_check_ enum err jwks_read(struct json_span set, struct jwks *out);
void jwks_deinit(struct jwks *keys);

/* The key with this id, for this algorithm. Without an id (NULL): the only one for the algorithm.
 * NULL: there is none. */
const struct jwk *jwks_find(const struct jwks *keys, const char *id, enum jwk_algorithm algorithm);
