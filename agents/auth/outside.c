#include "agents/auth/outside.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agents/auth/answer.h"
#include "agents/auth/attempts.h"
#include "agents/auth/credentials.h"
#include "agents/auth/grant.h"
#include "agents/auth/oauth/oauth.h"
#include "agents/auth/operations.h"
#include "agents/auth/providers/current.h"
#include "agents/runtime/agent.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/secret.h"

/* The login of developers (setting auth.dangerous_dev_login; spec 8.4): no provider is asked. */
#define DEV "dev"

/* An attempt to log in; the whole life of the work. */
struct outside {
    struct providers *providers;     /* a reference */
    const struct provider *provider; /* NULL: unknown, or the login of developers */
    struct oauth_shown shown;        /* of the texts that follow */
    char *code, *code_verifier, *redirect_uri, *access_token, *refresh_token;
    bool tells_tokens; /* the response has members for them */
    enum auth_status status;
    struct oauth_login login;
    struct grant grant;
};

static void outside_destroy(void *state)
{
    struct outside *o = state;

    secret_free(o->code);
    secret_free(o->code_verifier);
    free(o->redirect_uri);
    secret_free(o->access_token);
    secret_free(o->refresh_token);
    oauth_login_deinit(&o->login);
    grant_deinit(&o->grant);
    providers_unref(o->providers);
    free(o);
}

static struct outside *outside_create(struct work *work)
{
    struct outside *o = calloc(1, sizeof(*o));

    if (!o)
        err_out_of_memory();
    if (work->state_destroy)
        work->state_destroy(work->state);
    work->state = o;
    work->state_destroy = outside_destroy;
    return o;
}

/* ---- Answers ---- */

/* The members of a response to the OAuth operations; null while nothing is granted. */
static void add_tokens(const struct outside *o, bool granted, struct text *out)
{
    if (!o->tells_tokens)
        return;
    text_reserve(out, granted ? 2 * OAUTH_TOKEN_MAX : 0); /* it leaves no copies where it grows */
    text_add(out, ",\"accessToken\":");
    text_add_json_str(out, granted ? o->login.access_token : NULL);
    text_add(out, ",\"refreshToken\":");
    text_add_json_str(out, granted ? o->login.refresh_token : NULL);
}

static enum work_step refuse(struct work *work, enum auth_status status)
{
    const struct outside *o = work->state;
    _cleanup_(text_deinitp) struct text more = {0};

    log_debug("auth.refused", LOG_STR("client", work->request.client),
              LOG_STR("provider", o->provider ? o->provider->id : NULL));
    add_tokens(o, false, &more);
    return answer_with(work, status, "null", text_str(&more));
}

static enum work_step granted(struct work *work)
{
    const struct outside *o = work->state;
    _cleanup_(text_wipep) struct text more = {0};

    add_tokens(o, answer_grants(work), &more);
    return answer_token(work, o->grant.token, AUTH_FORBIDDEN, text_str(&more));
}

/* ---- Asking the provider ---- */

static void ask(void *state, void *thread)
{
    struct outside *o = state;

    o->status = oauth_log_in(o->provider->own, thread, &o->shown, &o->login);
}

static const char *text_or_none(const char *text)
{
    return text ? text : "";
}

static enum work_step asked(struct work *work)
{
    struct outside *o = work->state;
    const struct oauth_identity *identity = &o->login.identity;
    const struct account account = {
        .id = identity->id,
        .first_name = text_or_none(identity->first_name),
        .last_name = text_or_none(identity->last_name),
        .email = text_or_none(identity->email),
        .email_verified = identity->email_verified,
        .roles = identity->roles.size ? identity->roles.at : NULL,
    };

    if (o->status != AUTH_FORBIDDEN)
        attempts_forgive(work, "", ""); /* it was right, or nobody could say */
    if (o->status != AUTH_SUCCESS)
        return refuse(work, o->status);
    o->grant.provider = o->provider->id;
    return grant_token(work, &o->grant, &account, granted);
}

/* The provider demands a code verifier, and there is none. */
static enum work_step refuse_without_verifier(struct work *work)
{
    const struct outside *o = work->state;

    if (!o->tells_tokens)
        return refuse(work, AUTH_FORBIDDEN);
    return work_error(work, CODE_MALFORMED,
                      "codeVerifier: is missing, and this provider takes no code without one");
}

/* The developer, whoever that is. */
static enum work_step log_developer_in(struct work *work)
{
    static const struct account developer = {
        .id = "DEV", .first_name = "DEV", .last_name = "USER", .email = ""};
    struct outside *o = work->state;

    log_warn("auth.dev_login", LOG_STR("client", work->request.client));
    o->grant.provider = DEV;
    return grant_token(work, &o->grant, &developer, granted);
}

static enum work_step attempted(struct work *work)
{
    const struct outside *o = work->state;
    enum work_step step;

    if (o->tells_tokens && attempts_are_too_many(work))
        return refuse(work, AUTH_TOO_MANY);
    return attempts_allow(work, &step) ? work_aside(work, ask, asked) : step;
}

static bool is_developer(const struct work *work, const struct outside *o)
{
    const char *shown = o->code ? o->code : o->access_token;

    return work->agent->proc.settings.auth_dangerous_dev_login && strcasecmp(shown, DEV) == 0;
}

static enum work_step begin(struct work *work)
{
    struct outside *o = work->state;
    const struct oauth_provider *provider;
    const struct oauth_declared *declared;

    if (is_developer(work, o))
        return log_developer_in(work);
    if (!o->provider || !o->provider->kind->is_outside)
        return refuse(work, AUTH_FAILURE);
    provider = o->provider->own;
    declared = oauth_declared(provider);
    if (o->code && declared->require_pkce && !o->code_verifier)
        return refuse_without_verifier(work);
    if (o->code && !oauth_names_have(&declared->redirect_uris, o->redirect_uri))
        return refuse(work, AUTH_FORBIDDEN);
    o->shown = (struct oauth_shown){.code = o->code,
                                    .code_verifier = o->code_verifier,
                                    .redirect_uri = o->redirect_uri,
                                    .access_token = o->access_token,
                                    .refresh_token = o->refresh_token,
                                    .deadline_ms = clock_mono_ms() + oauth_timeout_ms(provider)};
    attempts_begin(work, "", ""); /* what is shown names nobody: only the address counts */
    return work_call(work, attempted);
}

/* ---- authenticate ---- */

/* False: it is there, and is none. */
static bool take_verifier(struct json_span member, struct outside *o)
{
    if (json_kind(member) == JSON_ABSENT || json_kind(member) == JSON_NULL)
        return true;
    return !json_string(member, OAUTH_VERIFIER_MAX, &o->code_verifier) &&
           oauth_is_verifier(o->code_verifier);
}

/* False: it is none. */
static bool read_credential(const char *credential, struct outside *o)
{
    static const struct json_limits limits = {.depth = 16, .number_chars = 100};
    struct json_span object;

    if (json_check(credential, strlen(credential), &limits, NULL))
        return false;
    object = json_value(credential, strlen(credential));
    return !json_string(json_member(object, "code", NULL), OAUTH_TOKEN_MAX, &o->code) &&
           !json_string(json_member(object, "redirectUrl", NULL), CREDENTIALS_MAX,
                        &o->redirect_uri) &&
           take_verifier(json_member(object, "codeVerifier", NULL), o);
}

enum work_step outside_authenticate(struct work *work, struct providers *providers,
                                    const struct provider *provider, const char *credential)
{
    struct outside read = {.providers = providers_ref(providers), .provider = provider};
    const bool good = read_credential(credential, &read);
    struct outside *o = outside_create(work); /* the credential is gone now */

    *o = read;
    return good ? begin(work) : refuse(work, AUTH_FORBIDDEN);
}

/* ---- authenticateOAuthCode, authenticateOAuthAccessToken ---- */

static enum err read_provider(struct work *work, struct outside *o, struct text *problem)
{
    char *id;
    enum err e = request_string(&work->request, "authProvider", CREDENTIALS_MAX, &id, problem);

    if (e)
        return e;
    o->providers = current_ref(work->agent->own);
    o->provider = providers_find(o->providers, id);
    free(id);
    return ERR_OK;
}

/* `read` reads what is shown. */
static enum work_step plan(struct work *work,
                           enum err (*read)(const struct request *request, struct outside *o,
                                            struct text *problem))
{
    struct outside *o = outside_create(work);
    _cleanup_(text_deinitp) struct text problem = {0};

    o->tells_tokens = true;
    if (!*work->request.client)
        return work_error(work, CODE_MALFORMED, "clientId: expected a string");
    if (read_provider(work, o, &problem) || read(&work->request, o, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    return begin(work);
}

static enum err read_verifier(const struct request *request, struct outside *o,
                              struct text *problem)
{
    enum err e = credentials_read_secret(request, "codeVerifier", OAUTH_VERIFIER_MAX,
                                         &o->code_verifier, problem);

    if (e || !o->code_verifier || oauth_is_verifier(o->code_verifier))
        return e;
    text_addf(problem, "codeVerifier: expected %d to %d letters, digits, -, ., _ and ~",
              OAUTH_VERIFIER_MIN, OAUTH_VERIFIER_MAX);
    return ERR_MALFORMED;
}

static enum err read_code(const struct request *request, struct outside *o, struct text *problem)
{
    enum err e = credentials_need_secret(request, "code", OAUTH_TOKEN_MAX, &o->code, problem);

    if (!e)
        e = request_string(request, "redirectUri", CREDENTIALS_MAX, &o->redirect_uri, problem);
    return e ? e : read_verifier(request, o, problem);
}

enum work_step plan_oauth_code(struct work *work)
{
    return plan(work, read_code);
}

static enum err read_tokens(const struct request *request, struct outside *o, struct text *problem)
{
    enum err e =
        credentials_need_secret(request, "accessToken", OAUTH_TOKEN_MAX, &o->access_token, problem);

    return e ? e
             : credentials_read_secret(request, "refreshToken", OAUTH_TOKEN_MAX, &o->refresh_token,
                                       problem);
}

enum work_step plan_oauth_access_token(struct work *work)
{
    return plan(work, read_tokens);
}
