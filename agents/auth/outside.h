#pragma once

#include "agents/auth/providers/provider.h"
#include "agents/runtime/work.h"

/*
 * outside - logins at providers that are servers elsewhere: what is shown goes to a thread beside
 * the worker, which asks the provider; then the user gets a token as in every other login.
 */

/* The rest of an `authenticate` at such a provider, whose credential is (spec 8.4)
 * {"code": "...", "redirectUrl": "..."}, perhaps with a codeVerifier. Takes the place of the work's
 * state. */
enum work_step outside_authenticate(struct work *work, struct providers *providers,
                                    const struct provider *provider, const char *credential);
