#include <stdlib.h>
#include <string.h>

#include "agents/auth/answer.h"
#include "agents/auth/credentials.h"
#include "agents/auth/operations.h"
#include "agents/auth/person.h"
#include "agents/auth/providers/provider.h"
#include "agents/auth/store/scripts.h"
#include "agents/runtime/agent.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/secret.h"

static enum work_step login_answer(struct work *work)
{
    return answer_token(work, work->state, AUTH_FORBIDDEN);
}

static void add_random_uuid(struct redis_call *call)
{
    _cleanup_(text_deinitp) struct text id = {0};

    secret_add_uuid(&id);
    redis_call_arg(call, text_str(&id));
}

/* Names the request among all of all gateways, also when it is delivered again; "" for one that was
 * published by hand. */
static void add_request_name(struct redis_call *call, const struct msg *m)
{
    _cleanup_(text_deinitp) struct text name = {0};

    if (m->reply_to && m->correlation_id)
        text_addf(&name, "%s %s", m->reply_to, m->correlation_id);
    redis_call_arg(call, text_str(&name));
}

/* The secret that the client gets; only its hash is ever stored. */
static void add_new_token(struct work *work)
{
    char token[2 * SECRET_ID_CHARS + 1], hash[SECRET_HASH_CHARS + 1];

    secret_random_id(token);
    secret_random_id(token + SECRET_ID_CHARS);
    secret_hash(token, strlen(token), hash);
    work->state = strdup(token);
    if (!work->state)
        err_out_of_memory();
    work->state_destroy = free;
    redis_call_arg(&work->call, hash);
}

/* The account is verified: arguments in the order of store/login.lua. */
static enum work_step log_in(struct work *work, const struct provider *provider,
                             const struct account *account)
{
    const struct request *rq = &work->request;
    const int64_t now = clock_wall_ms();
    const int64_t max_age_ms = work->agent->proc.settings.auth_token_max_age_s * 1000;
    struct redis_call *call = &work->call;

    redis_call_begin(call, &script_login);
    redis_call_arg(call, provider->id);
    redis_call_arg(call, account->id);
    add_random_uuid(call);
    redis_call_arg(call, account->first_name);
    redis_call_arg(call, account->last_name);
    redis_call_arg(call, account->email);
    add_new_token(work);
    add_random_uuid(call);
    redis_call_arg(call, rq->client);
    redis_call_arg(call, rq->device);
    add_request_name(call, rq->msg);
    redis_call_arg_i64(call, now);
    redis_call_arg_i64(call, now + max_age_ms);
    person_add_args(call, model_anchor(work->agent->model), account);
    return work_call(work, login_answer);
}

static enum work_step verify(struct work *work, const struct credentials *credentials)
{
    const struct provider *provider = providers_find(work->agent->own, credentials->provider);
    struct account account;
    enum auth_status status;

    if (!provider)
        return answer_refused(work, AUTH_FAILURE);
    if (provider->kind->needs_credential && !credentials->credential)
        return work_error(work, CODE_MALFORMED, "credential: expected a string");
    status = provider->kind->verify(provider, credentials->credential, &account);
    if (status != AUTH_SUCCESS) {
        log_debug("auth.refused", LOG_STR("client", work->request.client),
                  LOG_STR("provider", provider->id));
        return answer_refused(work, status);
    }
    return log_in(work, provider, &account);
}

enum work_step plan_authenticate(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct credentials credentials;
    enum work_step step;

    if (!*work->request.client)
        return work_error(work, CODE_MALFORMED, "clientId: expected a string");
    if (credentials_read(&work->request, &credentials, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    step = verify(work, &credentials);
    credentials_deinit(&credentials);
    return step;
}
