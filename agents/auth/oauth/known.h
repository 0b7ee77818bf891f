#pragma once

#include <stdint.h>

#include "agents/auth/oauth/asking.h"
#include "agents/auth/oauth/jwks.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * known - what we know of a provider at the moment: its endpoints, from its discovery document as
 * far as they are not declared, and the keys with which it signs. It is asked for both at the first
 * login, again when they are old, and when a token names a key that is not there: keys rotate.
 *
 * Threads: all, but create and destroy. One thread asks, the others wait for what it learns.
 */

struct known {
    struct oauth_endpoints endpoints;
    struct jwks keys;
    /* private */
    char *texts[4]; /* those of the endpoints that were discovered */
    int64_t read_ms;
    unsigned users;
};

struct known_cache;

struct known_cache *known_cache_create(int64_t max_age_ms, int64_t pause_ms);
/* NULL is allowed. */
void known_cache_destroy(struct known_cache *cache);

/* Borrows what is known until known_give_back(). With `than`, it has to be newer than that. NULL:
 * the provider does not tell, not in time, or is not asked again so soon after `than`. */
struct known *known_take(struct known_cache *cache, const struct asking *asking,
                         const struct known *than);
void known_give_back(struct known_cache *cache, struct known *known);
