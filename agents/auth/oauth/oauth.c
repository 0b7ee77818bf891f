#include "agents/auth/oauth/oauth.h"

#include <stdlib.h>
#include <string.h>

#include "agents/auth/oauth/asking.h"
#include "agents/auth/oauth/identity.h"
#include "agents/auth/oauth/jwt.h"
#include "agents/auth/oauth/known.h"
#include "common/base/clock.h"
#include "common/base/secret.h"

struct oauth_provider {
    struct oauth_declared declared;
    struct oauth_limits limits;
    struct known_cache *cache;
};

struct oauth_provider *oauth_create(struct oauth_declared *declared,
                                    const struct oauth_limits *limits)
{
    struct oauth_provider *provider = calloc(1, sizeof(*provider));

    if (!provider)
        err_out_of_memory();
    provider->declared = *declared;
    provider->limits = *limits;
    provider->cache = known_cache_create(limits->keys_ms, limits->pause_ms);
    *declared = (struct oauth_declared){0};
    return provider;
}

void oauth_destroy(struct oauth_provider *provider)
{
    if (!provider)
        return;
    known_cache_destroy(provider->cache);
    oauth_declared_deinit(&provider->declared);
    free(provider);
}

const struct oauth_declared *oauth_declared(const struct oauth_provider *provider)
{
    return &provider->declared;
}

int64_t oauth_timeout_ms(const struct oauth_provider *provider)
{
    return provider->limits.timeout_ms;
}

bool oauth_is_verifier(const char *text)
{
    const size_t size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~");

    return text[size] == '\0' && size >= OAUTH_VERIFIER_MIN && size <= OAUTH_VERIFIER_MAX;
}

void oauth_login_deinit(struct oauth_login *login)
{
    identity_deinit(&login->identity);
    secret_free(login->access_token);
    secret_free(login->refresh_token);
    *login = (struct oauth_login){0};
}

/* ---- One visit at the provider ---- */

struct visit {
    const struct oauth_provider *provider;
    struct asking asking;
    struct known *known;
    struct text token_claims; /* of the ID token; empty: there is none */
    struct text subject;      /* of the access token, where the provider tells; may be empty */
    struct oauth_login *login;
};

static enum err refuse(const struct visit *v, const char *what, const char *why)
{
    asking_log_fault(&v->asking, what, why);
    return ERR_REFUSED;
}

/* The provider's own fault. */
static enum err distrust(const struct visit *v, const char *what, const char *why)
{
    asking_log_fault(&v->asking, what, why);
    return ERR_MALFORMED;
}

/* ---- ID tokens ---- */

/* False: there are no newer ones. */
static bool renew_keys(struct visit *v)
{
    struct known *newer = known_take(v->provider->cache, &v->asking, v->known);

    if (!newer)
        return false;
    known_give_back(v->provider->cache, v->known);
    v->known = newer;
    return true;
}

static enum err check_id_token(struct visit *v, const char *token)
{
    const struct oauth_declared *declared = &v->provider->declared;
    const struct jwt_wanted wanted = {.issuers = declared->issuers.at,
                                      .audiences = declared->audiences.at,
                                      .now_s = clock_wall_ms() / 1000,
                                      .leeway_s = v->provider->limits.leeway_s};
    const char *why;
    enum err e = jwt_verify(token, &v->known->keys, &v->token_claims, &why);

    if (e == ERR_NOT_FOUND && renew_keys(v))
        e = jwt_verify(token, &v->known->keys, &v->token_claims, &why);
    if (!e)
        why = jwt_fault(json_value(v->token_claims.at, v->token_claims.size), &wanted);
    if (!e && !why)
        return ERR_OK;
    text_clear(&v->token_claims);
    return distrust(v, "ID token", why);
}

/* ---- Tokens ---- */

/* Replaces *to; an absent one leaves it as it is. False: it is no string, or too large. */
static bool take_token(struct json_span object, const char *name, char **to)
{
    struct json_span member = json_member(object, name, NULL);
    char *token = NULL;

    if (json_kind(member) == JSON_ABSENT || json_kind(member) == JSON_NULL)
        return true;
    if (json_string(member, OAUTH_TOKEN_MAX, &token))
        return false;
    secret_free(*to);
    *to = token;
    return true;
}

static enum err take_tokens(struct visit *v, struct json_span object, bool needs_id_token)
{
    struct oauth_login *login = v->login;
    char *id_token = NULL;
    enum err e = ERR_OK;

    if (!take_token(object, "access_token", &login->access_token) || !login->access_token ||
        !*login->access_token || !take_token(object, "refresh_token", &login->refresh_token))
        return distrust(v, "tokens", "they are not what tokens are");
    if (json_string(json_member(object, "id_token", NULL), JWT_BYTES_MAX, &id_token))
        e = needs_id_token ? distrust(v, "tokens", "there is no ID token among them") : ERR_OK;
    else if (v->provider->declared.issuer)
        e = check_id_token(v, id_token);
    secret_free(id_token);
    return e;
}

static enum err get_tokens(struct visit *v, const struct text *form, bool needs_id_token)
{
    struct answered answered;
    enum err e =
        asking_post_as_client(&v->asking, "tokens", v->known->endpoints.token, form, &answered);

    if (!e)
        e = take_tokens(v, answered.object, needs_id_token);
    answered_deinit(&answered);
    return e;
}

static enum err exchange_code(struct visit *v, const struct oauth_shown *shown)
{
    _cleanup_(text_wipep) struct text form = {0};

    asking_add_field(&form, "grant_type", "authorization_code");
    asking_add_field(&form, "code", shown->code);
    asking_add_field(&form, "redirect_uri", shown->redirect_uri);
    if (shown->code_verifier)
        asking_add_field(&form, "code_verifier", shown->code_verifier);
    return get_tokens(v, &form, v->provider->declared.issuer != NULL);
}

static enum err refresh(struct visit *v, const struct oauth_shown *shown)
{
    _cleanup_(text_wipep) struct text form = {0};

    if (!shown->refresh_token || !*shown->refresh_token)
        return ERR_REFUSED; /* of nobody else's tokens is one taken instead */
    asking_add_field(&form, "grant_type", "refresh_token");
    asking_add_field(&form, "refresh_token", shown->refresh_token);
    return get_tokens(v, &form, false);
}

/* ---- Is an access token for us? ---- */

static char *copy(const char *str)
{
    char *copied = str ? strdup(str) : NULL;

    if (str && !copied)
        err_out_of_memory();
    return copied;
}

/* Who says to which client it was issued means that: another client's token may have us among the
 * audiences that it is for, and would let that client in as the user. */
static bool is_for_us(const struct visit *v, struct json_span said)
{
    const char *const *audiences = v->provider->declared.audiences.at;
    static const char *const names[] = {"client_id", "azp", "aud"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct json_span name = json_member(said, names[i], NULL);

        if (json_kind(name) != JSON_ABSENT)
            return jwt_names(name, audiences);
    }
    return false;
}

/* ERR_NOT_FOUND: it is not valid any more. */
static enum err inspect(struct visit *v, const char *token)
{
    const struct oauth_endpoints *at = &v->known->endpoints;
    const bool introspects = at->introspection != NULL;
    _cleanup_(text_wipep) struct text form = {0};
    struct answered said;
    enum err e;

    if (!introspects && !at->token_info)
        return refuse(v, "access token", "the provider cannot say for whom it is");
    asking_add_field(&form, introspects ? "token" : "access_token", token);
    e = introspects
            ? asking_post_as_client(&v->asking, "access token", at->introspection, &form, &said)
            : asking_post(&v->asking, "access token", at->token_info, &form, &said);
    if (introspects ? !e && !json_is_true(json_member(said.object, "active", NULL))
                    : e == ERR_REFUSED)
        e = ERR_NOT_FOUND;
    else if (!e && !is_for_us(v, said.object))
        e = refuse(v, "access token", "it was issued for another client");
    if (!e && !identity_add_subject(&v->provider->declared, said.object, &v->subject))
        text_clear(&v->subject);
    answered_deinit(&said);
    return e;
}

static enum err check_access_token(struct visit *v, const struct oauth_shown *shown)
{
    enum err e = inspect(v, shown->access_token);

    if (e == ERR_NOT_FOUND) {
        v->login->refresh_token = copy(shown->refresh_token);
        return refresh(v, shown);
    }
    if (e)
        return e;
    v->login->access_token = copy(shown->access_token);
    v->login->refresh_token = copy(shown->refresh_token);
    return ERR_OK;
}

/* ---- Who it is ---- */

static enum err identify(struct visit *v)
{
    const struct oauth_declared *declared = &v->provider->declared;
    struct claims claims = {.token = v->token_claims.size
                                         ? json_value(v->token_claims.at, v->token_claims.size)
                                         : (struct json_span){0}};
    struct answered userinfo = {0};
    const char *why = NULL;
    enum err e = ERR_OK;

    if (v->known->endpoints.userinfo && identity_is_partial(declared, &claims))
        e = asking_get(&v->asking, "userinfo", v->known->endpoints.userinfo, v->login->access_token,
                       &userinfo);
    claims.userinfo = userinfo.object;
    if (!e)
        why = identity_read(declared, &claims, &v->login->identity);
    if (!e && !why && v->subject.size && strcmp(v->subject.at, v->login->identity.id) != 0)
        why = "access token and userinfo are of different subjects";
    if (why)
        e = refuse(v, "identity", why);
    answered_deinit(&userinfo);
    return e;
}

static enum err log_in(struct visit *v, const struct oauth_shown *shown)
{
    enum err e;

    v->known = known_take(v->provider->cache, &v->asking, NULL);
    if (!v->known)
        return ERR_AWAY;
    e = shown->code ? exchange_code(v, shown) : check_access_token(v, shown);
    if (!e)
        e = identify(v);
    known_give_back(v->provider->cache, v->known);
    return e;
}

enum auth_status oauth_log_in(const struct oauth_provider *provider,
                              const struct http_handles *handles, const struct oauth_shown *shown,
                              struct oauth_login *out)
{
    struct visit v = {.provider = provider,
                      .asking = {.provider = &provider->declared,
                                 .handles = handles,
                                 .deadline_ms = shown->deadline_ms,
                                 .max_bytes = provider->limits.max_bytes},
                      .login = out};
    enum err e;

    *out = (struct oauth_login){0};
    e = log_in(&v, shown);
    text_deinit(&v.token_claims);
    text_deinit(&v.subject);
    if (!e)
        return AUTH_SUCCESS;
    return e == ERR_REFUSED ? AUTH_FORBIDDEN : AUTH_FAILURE;
}
