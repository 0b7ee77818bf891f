#pragma once

#include "agents/auth/oauth/declared.h"
#include "agents/auth/oauth/oauth.h"
#include "common/base/cleanup.h"
#include "common/json/json_scan.h"

/*
 * identity - whom claims are of: those of an ID token, and what the provider's userinfo endpoint
 * says beside them.
 */

/* Two sources; absent where there is none. What both have is taken from the first. */
struct claims {
    struct json_span token, userinfo;
};

/* Is anything that we want to know missing, so that userinfo should be asked? */
bool identity_is_partial(const struct oauth_declared *provider, const struct claims *claims);

/* Adds the subject that one source names. False: it names none. */
bool identity_add_subject(const struct oauth_declared *provider, struct json_span source,
                          struct text *out);

/* Fills *out. NULL, or why not, a constant for the log: no subject, two different ones, or no
 * verified e-mail address of the domain that is declared. */
const char *identity_read(const struct oauth_declared *provider, const struct claims *claims,
                          struct oauth_identity *out);

void identity_deinit(struct oauth_identity *identity);
