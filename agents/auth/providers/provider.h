#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agents/auth/status.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/process/settings.h"
#include "common/redis/redis_link.h"

/*
 * provider - who can say whether somebody is whom they claim to be (spec 8.4).
 *
 * A kind of provider is one file that defines one struct provider_kind, and a line in the table of
 * provider.c. The setting auth.providers says which ones are open.
 *
 * A provider does no input and output: what it must know from Redis it says by building a call, and
 * what it makes of the reply is a function of its arguments. The caller runs the call in between.
 * One that is a server elsewhere is asked through oauth/oauth.h instead.
 *
 * Threads: its functions are called from all workers at once and change nothing. Who uses one holds
 *          a reference to the providers that it is of (current.h).
 */

/* Somebody, as the provider knows them. Belongs to the provider, or to the reply that was found. */
struct account {
    const char *id; /* unique at this provider, and for ever the same */
    const char *first_name;
    const char *last_name;
    const char *email;
    bool email_verified; /* then whoever has it is the same user, whichever the provider */
    const char *roles;   /* as login.lua takes them, ",editor,reviewer,"; NULL: none */
    const char *hash; /* of the password, where it can change; NULL: it cannot, or there is none */
};

struct provider {
    const struct provider_kind *kind;
    char *id;    /* lower-case; what authProvider is compared with */
    char *alias; /* another one for the same; NULL: none */
    void *own;   /* the kind's */
};

/* The open providers. */
struct providers;

struct provider_kind {
    const char *name;         /* in auth.providers */
    bool needs_credential;    /* otherwise it may be NULL */
    enum auth_status refusal; /* of who shows what is right, and may not log in nevertheless */
    /* It is a server elsewhere, and `own` a struct oauth_provider: then look_up, verify and enroll
     * are NULL, and credentials are codes. */
    bool is_outside;
    /* Opens as many as are declared, each with providers_add(). Else NULL, and there is one, with
     * `id` and `open`. */
    enum err (*open_each)(struct providers *providers, const struct settings *settings,
                          struct text *problems);
    const char *(*id)(const struct settings *settings);
    /* Reads what it needs into provider->own. ERR_CONFIG, ERR_IO: told in `problems`, a line each
     * mistake. NULL: nothing. */
    enum err (*open)(struct provider *provider, const struct settings *settings,
                     struct text *problems);
    /* Adds whose credential it says that it is, for the count of failed attempts; nothing if it
     * cannot be one. NULL: credentials do not say. */
    void (*add_name)(const char *credential, struct text *out);
    /* Builds the call whose reply verify() needs. AUTH_SUCCESS, or how the credential is refused
     * since it cannot be one. NULL: verify() needs nothing. */
    enum auth_status (*look_up)(const struct provider *provider, const char *credential,
                                struct redis_call *call);
    /* AUTH_SUCCESS with *account_out, or how it is refused; then *account_out is as it was unless
     * there is such an account. Takes the same time for accounts that do not exist. `found`: the
     * reply to look_up()'s call, else NULL. */
    enum auth_status (*verify)(const struct provider *provider, const char *credential,
                               const struct redis_reply *found, struct account *account_out);
    /* Builds the call that makes an account. Its script takes two more arguments behind, the name
     * of the request ("": none) and now, and returns "ok" or "duplicate", in a list. AUTH_SUCCESS,
     * or how the credential is refused. NULL: accounts are not made by us. */
    enum auth_status (*enroll)(const struct provider *provider, const char *credential,
                               struct redis_call *call);
    void (*close)(struct provider *provider); /* also after a failed open; or NULL */
};

extern const struct provider_kind provider_file;
extern const struct provider_kind provider_anonymous;
extern const struct provider_kind provider_basic;
extern const struct provider_kind provider_oauth;

/* Opens those that auth.providers lists; the reference is the caller's. On failure all mistakes are
 * in `problems`, a line each, and *out is NULL. */
_must_check_ enum err providers_open(const struct settings *settings, struct providers **out,
                                     struct text *problems);
struct providers *providers_ref(struct providers *providers);

/* The last one closes them. NULL is allowed. */
void providers_unref(struct providers *providers);
DEFINE_CLEANUP(struct providers *, providers_unref)

/* Adds one while they are opened; `alias` may be NULL. NULL, with the reason in `problems`: one of
 * its names is taken. */
struct provider *providers_add(struct providers *providers, const struct provider_kind *kind,
                               const char *id, const char *alias, struct text *problems);

/* Is any of them a server elsewhere? */
bool providers_are_outside(const struct providers *providers);

/* Adds their ids as a JSON array. */
void providers_add_ids(const struct providers *providers, struct text *out);

/* By id or alias, in any case, or NULL. */
const struct provider *providers_find(const struct providers *providers, const char *id);
