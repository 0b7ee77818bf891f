#pragma once

#include <stdint.h>

#include "agents/auth/oauth/declared.h"
#include "agents/runtime/http/http_exchange.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * asking - requests to a provider whose answers are JSON objects. Nothing but https, no redirects,
 * no answer beyond auth.oauth_max_bytes, and nothing after the deadline.
 *
 * What fails is logged here, with the name of what was asked for, and never with anything of it.
 */

struct asking {
    const struct oauth_declared *provider;
    const struct http_handles *handles; /* of this thread */
    int64_t deadline_ms;                /* of clock_mono_ms() */
    int64_t max_bytes;
};

/* An answer. A zeroed struct is empty. */
struct answered {
    struct text body;
    struct json_span object; /* in the body */
};

/* Leaves nothing of the answer in memory. */
void answered_deinit(struct answered *answered);

/* GET; `bearer` is an access token to show, or NULL. ERR_REFUSED: the server does not accept what
 * was shown (400, 401, 403, 404); ERR_AWAY: it cannot be reached, or gives no such answer. */
_must_check_ enum err asking_get(const struct asking *asking, const char *what, const char *url,
                                 const char *bearer, struct answered *out);

/* POST of a form. Likewise. */
_must_check_ enum err asking_post(const struct asking *asking, const char *what, const char *url,
                                  const struct text *fields, struct answered *out);

/* The same, showing that it is our client who asks. */
_must_check_ enum err asking_post_as_client(const struct asking *asking, const char *what,
                                            const char *url, const struct text *fields,
                                            struct answered *out);

/* Adds a field to a form. */
void asking_add_field(struct text *form, const char *name, const char *value);

/* Logs why the provider's word is not taken. */
void asking_log_fault(const struct asking *asking, const char *what, const char *why);
