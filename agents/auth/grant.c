#include "agents/auth/grant.h"

#include <ctype.h>
#include <string.h>

#include "agents/auth/credentials.h"
#include "agents/auth/person.h"
#include "agents/auth/store/scripts.h"
#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/touches.h"
#include "common/base/clock.h"

static void add_random_uuid(struct redis_call *call)
{
    _cleanup_(text_deinitp) struct text id = {0};

    secret_add_uuid(&id);
    redis_call_arg(call, text_str(&id));
}

/* What makes accounts of several providers those of one user, as user.lua has it. */
static void add_identifiers(struct redis_call *call, const struct account *account)
{
    _cleanup_(text_deinitp) struct text email = {0};

    if (!account->email_verified || !account->email || !*account->email) {
        redis_call_arg_i64(call, 0);
        return;
    }
    text_add(&email, "email:");
    for (const char *c = account->email; *c; c++)
        text_add_char(&email, (char)tolower((unsigned char)*c));
    redis_call_arg_i64(call, 1);
    redis_call_arg(call, email.at);
}

/* Only the hash of a token is ever stored. */
static void add_new_token(struct redis_call *call, struct grant *grant)
{
    char hash[SECRET_HASH_CHARS + 1];

    secret_random_id(grant->token);
    secret_random_id(grant->token + SECRET_ID_CHARS);
    secret_hash(grant->token, strlen(grant->token), hash);
    redis_call_arg(call, hash);
}

/* The arguments in the order of store/login.lua. */
static void build_login(struct redis_call *call, const struct work *work, struct grant *grant,
                        const struct account *account)
{
    const struct request *rq = &work->request;
    const int64_t now = clock_wall_ms();
    const int64_t max_age_ms = work->agent->proc.settings.auth_token_max_age_s * 1000;

    redis_call_begin(call, &script_login);
    children_add_args(call, work->agent->children, model_anchor(work->agent->model));
    touches_add_args(call, work->agent->model);
    redis_call_arg(call, grant->provider);
    redis_call_arg(call, account->id);
    add_random_uuid(call);
    redis_call_arg(call, account->first_name);
    redis_call_arg(call, account->last_name);
    redis_call_arg(call, account->email);
    add_identifiers(call, account);
    redis_call_arg(call, account->roles ? account->roles : "");
    redis_call_arg(call, account->hash ? account->hash : "");
    add_new_token(call, grant);
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
enum work_step grant_token(struct work *work, struct grant *grant, const struct account *account,
                           work_fn *next)
{
    struct redis_call login = {0};

    build_login(&login, work, grant, account);
    redis_call_deinit(&work->call);
    work->call = login;
    return work_call(work, next);
}

void grant_deinit(struct grant *grant)
{
    explicit_bzero(grant->token, sizeof(grant->token));
}
