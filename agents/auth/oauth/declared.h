#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * declared - one OAuth 2 or OpenID Connect provider, as a file of auth.oauth_file declares it. The
 * README, "Logins by OAuth", has its grammar. All is checked when it is read.
 *
 * Ownership: strings are borrowed from the file's tree, of which this holds a part. Immutable, so
 * of all threads.
 */

struct json_object;

#define OAUTH_URIS_MAX   64
#define OAUTH_SECRET_MAX 1024 /* bytes */

/* Where it is asked; NULL: what its discovery document says, or nowhere. */
struct oauth_endpoints {
    const char *token;
    const char *userinfo;
    const char *jwks;
    const char *introspection; /* RFC 7662 */
    const char *token_info;    /* Google's way to say for whom an access token is */
};

/* Names, with NULL behind the last one. */
struct oauth_names {
    const char *at[OAUTH_URIS_MAX + 1];
    size_t count;
};

struct oauth_declared {
    struct json_object *tree;
    const char *id;
    const char *issuer; /* NULL: it has no ID tokens, and is not discovered */
    struct oauth_names issuers;
    const char *client_id;
    struct text secret; /* empty: a public client */
    bool secret_in_body;
    struct oauth_names redirect_uris;
    bool require_pkce;                       /* no code without its verifier */
    struct oauth_names audiences;            /* the client id first */
    const char *domain;                      /* of e-mail addresses; NULL: any, or none at all */
    const char *subject_claim, *roles_claim; /* the latter may be NULL */
    struct oauth_endpoints endpoints;
    const char *ca_file;
    bool allow_private;
};

/* Reads the entry at `path`. ERR_CONFIG: each mistake is a line in `problems`; *out is empty. */
_must_check_ enum err oauth_declared_read(struct json_object *entry, const char *path,
                                          struct oauth_declared *out, struct text *problems);
void oauth_declared_deinit(struct oauth_declared *declared);

/* Is everything declared that its discovery document would say? */
bool oauth_declared_is_whole(const struct oauth_declared *declared);

bool oauth_names_have(const struct oauth_names *names, const char *name);

/* https, a host, no user? */
bool oauth_is_url(const char *url);
