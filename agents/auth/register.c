#include <string.h>

#include "agents/auth/answer.h"
#include "agents/auth/credentials.h"
#include "agents/auth/operations.h"
#include "agents/auth/providers/current.h"
#include "agents/runtime/agent.h"
#include "common/base/clock.h"
#include "common/base/log.h"

/* ---- register (spec 3.9): a new account; the client then logs in with it ---- */

static enum work_step registered(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return answer_failed(work);
    return strcmp(redis_str(redis_item(r, 0)), "ok") != 0 ? answer_refused(work, AUTH_DUPLICATE)
                                                          : answer(work, AUTH_SUCCESS, "null");
}

static enum work_step enroll(struct work *work, const struct credentials *credentials)
{
    _cleanup_(providers_unrefp) struct providers *providers = current_ref(work->agent->own);
    const struct provider *provider = providers_find(providers, credentials->provider);
    enum auth_status status;

    if (!provider)
        return answer_refused(work, AUTH_FAILURE);
    if (!provider->kind->enroll || !work->agent->proc.settings.auth_registration)
        return answer_refused(work, AUTH_FORBIDDEN);
    if (!credentials->credential)
        return work_error(work, CODE_MALFORMED, "credential: expected a string");
    status = provider->kind->enroll(provider, credentials->credential, &work->call);
    if (status != AUTH_SUCCESS) {
        log_debug("auth.not_registered", LOG_STR("client", work->request.client),
                  LOG_STR("provider", provider->id));
        return answer_refused(work, status);
    }
    credentials_add_request_name(&work->call, &work->request);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, registered);
}

enum work_step plan_register(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct credentials credentials;
    enum work_step step;

    if (credentials_read(&work->request, &credentials, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    step = enroll(work, &credentials);
    credentials_deinit(&credentials);
    return step;
}
