#include <stdlib.h>
#include <string.h>

#include "agents/auth/answer.h"
#include "agents/auth/credentials.h"
#include "agents/auth/operations.h"
#include "agents/auth/person.h"
#include "agents/auth/providers/provider.h"
#include "agents/auth/store/scripts.h"
#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/touches.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/secret.h"

/* An attempt to log in; the whole life of the work. */
struct attempt {
    struct credentials credentials;
    const struct provider *provider;
    char token[2 * SECRET_ID_CHARS + 1]; /* the secret that the client gets */
};

static void attempt_destroy(void *state)
{
    struct attempt *attempt = state;

    credentials_deinit(&attempt->credentials);
    explicit_bzero(attempt->token, sizeof(attempt->token));
    free(attempt);
}

/* ---- The account is verified: a token for its user ---- */

static enum work_step login_answer(struct work *work)
{
    const struct attempt *attempt = work->state;

    return answer_token(work, attempt->token, AUTH_FORBIDDEN);
}

static void add_random_uuid(struct redis_call *call)
{
    _cleanup_(text_deinitp) struct text id = {0};

    secret_add_uuid(&id);
    redis_call_arg(call, text_str(&id));
}

/* Only the hash of a token is ever stored. */
static void add_new_token(struct redis_call *call, struct attempt *attempt)
{
    char hash[SECRET_HASH_CHARS + 1];

    secret_random_id(attempt->token);
    secret_random_id(attempt->token + SECRET_ID_CHARS);
    secret_hash(attempt->token, strlen(attempt->token), hash);
    redis_call_arg(call, hash);
}

/* The arguments in the order of store/login.lua. */
static void build_login(struct redis_call *call, const struct work *work,
                        const struct account *account)
{
    const struct request *rq = &work->request;
    const int64_t now = clock_wall_ms();
    const int64_t max_age_ms = work->agent->proc.settings.auth_token_max_age_s * 1000;
    struct attempt *attempt = work->state;

    redis_call_begin(call, &script_login);
    children_add_args(call, work->agent->children, model_anchor(work->agent->model));
    touches_add_args(call, work->agent->model);
    redis_call_arg(call, attempt->provider->id);
    redis_call_arg(call, account->id);
    add_random_uuid(call);
    redis_call_arg(call, account->first_name);
    redis_call_arg(call, account->last_name);
    redis_call_arg(call, account->email);
    redis_call_arg(call, account->roles ? account->roles : "");
    add_new_token(call, attempt);
    add_random_uuid(call);
    redis_call_arg(call, rq->client);
    redis_call_arg(call, rq->device);
    credentials_add_request_name(call, rq);
    redis_call_arg_i64(call, now);
    redis_call_arg_i64(call, now + max_age_ms);
    person_add_args(call, model_anchor(work->agent->model), account,
                    work->agent->proc.settings.sync_history_kept);
}

/* Built beside the call that found the account, whose reply the account may be a part of. */
static enum work_step log_in(struct work *work, const struct account *account)
{
    struct redis_call login = {0};

    build_login(&login, work, account);
    redis_call_deinit(&work->call);
    work->call = login;
    return work_call(work, login_answer);
}

/* ---- Is it the account's owner? ---- */

/* `account`: which one it would have been; NULL: none, or unknown. */
static enum work_step refuse(struct work *work, enum auth_status status, const char *account)
{
    const struct attempt *attempt = work->state;

    log_debug("auth.refused", LOG_STR("client", work->request.client),
              LOG_STR("provider", attempt->provider->id));
    if (!account && work->agent->proc.settings.auth_tell_unknown_users)
        return answer_unknown_user(work, status);
    return answer_refused(work, status);
}

static enum work_step verify(struct work *work)
{
    const struct attempt *attempt = work->state;
    struct account account = {0};
    enum auth_status status;

    if (redis_is_error(work->call.reply))
        return answer_failed(work);
    status = attempt->provider->kind->verify(attempt->provider, attempt->credentials.credential,
                                             work->call.reply, &account);
    return status == AUTH_SUCCESS ? log_in(work, &account) : refuse(work, status, account.id);
}

static enum work_step look_up(struct work *work)
{
    const struct attempt *attempt = work->state;
    const struct provider *provider = attempt->provider;
    enum auth_status status;

    if (!provider)
        return answer_refused(work, AUTH_FAILURE);
    if (provider->kind->needs_credential && !attempt->credentials.credential)
        return work_error(work, CODE_MALFORMED, "credential: expected a string");
    if (!provider->kind->look_up)
        return verify(work);
    status = provider->kind->look_up(provider, attempt->credentials.credential, &work->call);
    return status == AUTH_SUCCESS ? work_call(work, verify) : refuse(work, status, NULL);
}

enum work_step plan_authenticate(struct work *work)
{
    struct attempt *attempt = calloc(1, sizeof(*attempt));
    _cleanup_(text_deinitp) struct text problem = {0};

    if (!attempt)
        err_out_of_memory();
    work->state = attempt;
    work->state_destroy = attempt_destroy;
    if (!*work->request.client)
        return work_error(work, CODE_MALFORMED, "clientId: expected a string");
    if (credentials_read(&work->request, &attempt->credentials, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    attempt->provider = providers_find(work->agent->own, attempt->credentials.provider);
    return look_up(work);
}
