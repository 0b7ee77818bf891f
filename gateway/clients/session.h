#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/secret.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * session - who a client is, as the gateway knows it, and the signed session that proves it to
 * any gateway later (spec 1.3, 1.4).
 *
 * Everything that a client claims about its identity is replaced by what stands here.
 *
 * Threads: a session belongs to the socket thread.
 */

struct session {
    char client_id[SECRET_ID_CHARS + 1]; /* fresh with every connection */
    char *user_id;                       /* NULL: not logged in */
    char *token; /* of the login, as those hear of it who need not know it: its hash (secret.h) */
    char *device_id; /* NULL while unknown */

    /* What a session that came back was called before; NULL for others. */
    char *existing_id;  /* the client id that it came back for */
    char *existing_ids; /* JSON: an array of the newest SESSION_EXISTING_MAX, the newest last */
};

#define SESSION_EXISTING_MAX 32

/* A fresh client id and nothing else. */
void session_init(struct session *s);
void session_deinit(struct session *s);

/* Logged in as `user_id`; `token`, in clear, and `device_id` may be NULL. Copies. */
void session_login(struct session *s, const char *user_id, const char *token,
                   const char *device_id);

/* It turns out whose session it is. Copies. */
void session_set_user(struct session *s, const char *user_id);

/* Comes back as what `earlier` was: user, token, device and names, with the client id of `earlier`
 * as the newest of them. Copies. */
void session_return(struct session *s, const struct session *earlier);

/* Reads a list of client ids as existing_ids keeps it: ERR_TYPE when it is no array of strings.
 * What cannot be a client id, and what is older than the newest, is left out. NULL when nothing is
 * left. */
_must_check_ enum err session_read_ids(struct json_span array, char **out);

/* Is this string, with its quotes, a client id of ours? */
bool session_is_client_id(struct json_span string);

/* Token, user and earlier names are gone, the device stays. */
void session_logout(struct session *s);

bool session_is_logged_in(const struct session *s);

/* What signed sessions are signed and accepted with. */
struct session_keys {
    const char *current;
    const char *previous; /* still accepted, so that keys can be changed; "" or NULL: none */
    int64_t max_age_ms;
};

/*
 * Adds the signed session: base64(JSON) ";" base64(HMAC-SHA-512 of the first part). It is signed,
 * not encrypted: the client reads its client id from it.
 */
void session_sign(const struct session *s, const struct session_keys *keys, int64_t now_ms,
                  struct text *out);

/*
 * Reads a signed session into *out, which the caller releases. ERR_MALFORMED: not in the form
 * above; ERR_REFUSED: signed with neither key; ERR_TIMEOUT: older than max_age_ms.
 */
_must_check_ enum err session_verify(const char *text, size_t size, const struct session_keys *keys,
                                     int64_t now_ms, struct session *out);

static inline void session_deinitp(struct session *s)
{
    session_deinit(s);
}
