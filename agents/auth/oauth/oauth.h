#pragma once

#include <stdint.h>

#include "agents/auth/oauth/declared.h"
#include "agents/auth/providers/provider.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

/*
 * oauth - logins at OAuth 2 and OpenID Connect providers (spec 3.9, 8.4): what a client shows is
 * shown to the provider, and who it is follows from what the provider says.
 *
 *   declared.c  what is configured       known.c   endpoints and keys, which providers rotate
 *   asking.c    HTTPS and JSON           jwks.c, jwt.c  who has signed an ID token, and for whom
 *   oauth.c     codes and tokens         identity.c     whom the claims are of
 *
 * A code is exchanged for tokens; the ID token must be signed by one of the provider's keys and be
 * for us. A client that has asked for its code with a challenge shows the verifier beside it, which
 * the provider compares (PKCE): to anybody else the code is worth nothing. An access token counts
 * only if the provider says that it was issued for us: otherwise whoever has one for another
 * application could log in here as its user. One that has expired is refreshed with the refresh
 * token beside it, and with no other.
 *
 * Threads: everything here blocks, so it is for threads beside the workers.
 */

#define OAUTH_TOKEN_MAX    16384 /* bytes of a code, access token or refresh token */
#define OAUTH_VERIFIER_MIN 43    /* characters of a code verifier (RFC 7636, section 4.1) */
#define OAUTH_VERIFIER_MAX 128

struct http_handles;
struct oauth_provider;

struct oauth_limits {
    int64_t timeout_ms; /* of a login */
    int64_t max_bytes;  /* of an answer */
    int64_t keys_ms;    /* how old keys may become */
    int64_t pause_ms;   /* between looks for new ones */
    int64_t leeway_s;   /* by which clocks may differ */
};

/* Takes what *declared holds. */
struct oauth_provider *oauth_create(struct oauth_declared *declared,
                                    const struct oauth_limits *limits);
/* NULL is allowed. */
void oauth_destroy(struct oauth_provider *provider);

const struct oauth_declared *oauth_declared(const struct oauth_provider *provider);
int64_t oauth_timeout_ms(const struct oauth_provider *provider);

/* Is it of as many of the characters as a code verifier may have? */
bool oauth_is_verifier(const char *text);

/* What a client shows, borrowed: a code with its redirect URI, which is one that is declared, and
 * its code verifier or NULL; or an access token, with a refresh token or NULL. */
struct oauth_shown {
    const char *code, *redirect_uri, *code_verifier;
    const char *access_token, *refresh_token;
    int64_t deadline_ms; /* of clock_mono_ms() */
};

/* Who it is. A zeroed struct is nobody. */
struct oauth_identity {
    char *id, *first_name, *last_name, *email; /* id is NULL for nobody, the others may be */
    bool email_verified;
    struct text roles; /* ",editor,reviewer,"; empty: none */
};

/* The outcome of a login; a zeroed struct is empty. */
struct oauth_login {
    struct oauth_identity identity;
    char *access_token, *refresh_token; /* NULL: none */
};

/* AUTH_SUCCESS; AUTH_FORBIDDEN: the provider does not accept what was shown, or it is not for us;
 * AUTH_FAILURE: the provider cannot be reached, or its word cannot be taken. What failed is logged.
 * In any case the caller releases *out. */
enum auth_status oauth_log_in(const struct oauth_provider *provider,
                              const struct http_handles *handles, const struct oauth_shown *shown,
                              struct oauth_login *out);

/* Leaves nothing of the tokens in memory. */
void oauth_login_deinit(struct oauth_login *login);
