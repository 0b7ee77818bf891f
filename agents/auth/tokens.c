#include <stdlib.h>
#include <string.h>

#include "agents/auth/answer.h"
#include "agents/auth/credentials.h"
#include "agents/auth/operations.h"
#include "agents/auth/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/secret.h"

static void forget_token(void *token)
{
    secret_free(token);
}

/* Begins the call of a script whose first argument is the hash of the request's token, which stays
 * in work->state. ERR_MALFORMED: there is none. */
static enum err begin_call(struct work *work, const struct redis_script *script,
                           struct text *problem)
{
    char *token, hash[SECRET_HASH_CHARS + 1];
    enum err e = credentials_need_secret(&work->request, "token", CREDENTIALS_MAX, &token, problem);

    if (e)
        return e;
    work->state = token;
    work->state_destroy = forget_token;
    secret_hash(token, strlen(token), hash);
    redis_call_begin(&work->call, script);
    redis_call_arg(&work->call, hash);
    return ERR_OK;
}

/* ---- reauthenticate: a token instead of a credential ---- */

static enum work_step reauthenticate_answer(struct work *work)
{
    return answer_token(work, work->state, AUTH_UNAUTHORIZED, NULL);
}

enum work_step plan_reauthenticate(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};

    if (!*work->request.client)
        return work_error(work, CODE_MALFORMED, "clientId: expected a string");
    if (begin_call(work, &script_reauthenticate, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg(&work->call, work->request.device);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, reauthenticate_answer);
}

/* ---- validateUserByToken ---- */

enum work_step plan_validate_user_by_token(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};

    if (begin_call(work, &script_validate, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    redis_call_arg(&work->call, work->request.user);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, answer_flag);
}

/* ---- disconnectAuth: the gateway's last word after a logout (spec 1.8) ---- */

enum work_step plan_disconnect_auth(struct work *work)
{
    redis_call_begin(&work->call, &script_disconnect_auth);
    redis_call_arg(&work->call, work->request.client);
    return work_call(work, answer_flag);
}
