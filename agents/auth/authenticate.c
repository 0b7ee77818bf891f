#include <stdlib.h>

#include "agents/auth/answer.h"
#include "agents/auth/attempts.h"
#include "agents/auth/credentials.h"
#include "agents/auth/grant.h"
#include "agents/auth/operations.h"
#include "agents/auth/outside.h"
#include "agents/auth/providers/current.h"
#include "agents/runtime/agent.h"
#include "common/base/log.h"

/* An attempt to log in; the whole life of the work. */
struct attempt {
    struct credentials credentials;
    struct providers *providers; /* a reference */
    const struct provider *provider;
    struct text name; /* whose account it is said to be; empty: the provider does not know */
    struct grant grant;
};

static void attempt_destroy(void *state)
{
    struct attempt *attempt = state;

    credentials_deinit(&attempt->credentials);
    text_deinit(&attempt->name);
    grant_deinit(&attempt->grant);
    providers_unref(attempt->providers);
    free(attempt);
}

static enum work_step login_answer(struct work *work)
{
    const struct attempt *attempt = work->state;

    return answer_token(work, attempt->grant.token, attempt->provider->kind->refusal, NULL);
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
    struct attempt *attempt = work->state;
    struct account account = {0};
    enum auth_status status;

    if (redis_is_error(work->call.reply))
        return answer_failed(work);
    status = attempt->provider->kind->verify(attempt->provider, attempt->credentials.credential,
                                             work->call.reply, &account);
    if (status != AUTH_SUCCESS)
        return refuse(work, status, account.id);
    if (attempt->provider->kind->needs_credential)
        attempts_forgive(work, attempt->provider->id, text_str(&attempt->name));
    attempt->grant.provider = attempt->provider->id;
    return grant_token(work, &attempt->grant, &account, login_answer);
}

static enum work_step look_up(struct work *work)
{
    const struct attempt *attempt = work->state;
    const struct provider *provider = attempt->provider;
    enum auth_status status;

    if (!provider->kind->look_up)
        return verify(work);
    status = provider->kind->look_up(provider, attempt->credentials.credential, &work->call);
    return status == AUTH_SUCCESS ? work_call(work, verify) : refuse(work, status, NULL);
}

static enum work_step attempted(struct work *work)
{
    enum work_step step;

    return attempts_allow(work, &step) ? look_up(work) : step;
}

/* Where nothing can be wrong, nothing can be guessed. */
static enum work_step begin(struct work *work)
{
    struct attempt *attempt = work->state;
    const struct provider *provider = attempt->provider;

    if (!provider)
        return answer_refused(work, AUTH_FAILURE);
    if (!provider->kind->needs_credential)
        return look_up(work);
    if (!attempt->credentials.credential)
        return work_error(work, CODE_MALFORMED, "credential: expected a string");
    if (provider->kind->is_outside)
        return outside_authenticate(work, attempt->providers, provider,
                                    attempt->credentials.credential);
    if (provider->kind->add_name)
        provider->kind->add_name(attempt->credentials.credential, &attempt->name);
    attempts_begin(work, provider->id, text_str(&attempt->name));
    return work_call(work, attempted);
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
    attempt->providers = current_ref(work->agent->own);
    attempt->provider = providers_find(attempt->providers, attempt->credentials.provider);
    return begin(work);
}
