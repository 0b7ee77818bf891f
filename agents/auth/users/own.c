#include <stdlib.h>
#include <string.h>

#include "agents/auth/answer.h"
#include "agents/auth/attempts.h"
#include "agents/auth/credentials.h"
#include "agents/auth/operations.h"
#include "agents/auth/providers/basic.h"
#include "agents/auth/store/scripts.h"
#include "agents/auth/sweep.h"
#include "agents/runtime/agent.h"
#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/protocol/content.h"

/*
 * What users do with their own accounts, from a session of theirs, in both protocols: change the
 * password (which ends their other sessions), end their other sessions, delete the account.
 *
 * First it is looked up who asks; a password that is shown counts as an attempt to log in.
 */

#define LAST_WORD_MS 300 /* for the answer to who deletes the account, before the socket goes */

struct own {
    char *password;     /* that is to be the one of now; NULL: none is shown */
    char *new_password; /* of changePassword */
    char *session;      /* that asks */
    char *name;         /* at the provider basic; "": none */
    char *hash;         /* of the password of now; "": none */
    work_fn *verified;  /* what follows when the password was right */
};

static void own_destroy(void *state)
{
    struct own *own = state;

    secret_free(own->password);
    secret_free(own->new_password);
    secret_free(own->hash);
    free(own->session);
    free(own->name);
    free(own);
}

static struct own *own_create(struct work *work)
{
    struct own *own = calloc(1, sizeof(*own));

    if (!own)
        err_out_of_memory();
    work->state = own;
    work->state_destroy = own_destroy;
    return own;
}

/* ---- Answers ---- */

static enum work_step done(struct work *work)
{
    if (request_is_content(&work->request))
        return work_content_result(work, 200, NULL, NULL);
    return answer(work, AUTH_SUCCESS, "true");
}

static enum work_step refuse(struct work *work, enum auth_status status)
{
    if (!request_is_content(&work->request))
        return answer_refused(work, status);
    return work_content_error(work, 403, CONTENT_DENIED, auth_status_message(status));
}

/* ---- Who asks? ---- */

static char *copy(const struct redis_reply *value)
{
    char *text = strdup(redis_str(value));

    if (!text)
        err_out_of_memory();
    return text;
}

/* The reply of own_account.lua. False: *step is the answer. */
static bool is_known(struct work *work, enum work_step *step)
{
    const struct redis_reply *r = work->call.reply;
    struct own *own = work->state;

    if (redis_is_error(r)) {
        *step = answer_failed(work);
        return false;
    }
    if (!answer_grants(work)) {
        *step = redis_str(redis_item(r, 0))[0] == 'n'
                    ? refuse(work, AUTH_FORBIDDEN)
                    : work_error(work, CODE_INVALID_CLIENT, "the session has ended");
        return false;
    }
    own->session = copy(redis_item(r, 1));
    own->name = copy(redis_item(r, 3));
    own->hash = copy(redis_item(r, 4));
    return true;
}

static enum work_step ask_who(struct work *work, work_fn *next)
{
    redis_call_begin(&work->call, &script_own_account);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg(&work->call, work->request.user);
    credentials_add_request_name(&work->call, &work->request);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, next);
}

/* ---- Is the password right? ---- */

static enum work_step verify(struct work *work)
{
    const struct own *own = work->state;
    enum work_step step;

    if (!attempts_allow(work, &step))
        return step;
    if (!secret_password_verify(own->hash, own->password, strlen(own->password)))
        return refuse(work, AUTH_BAD_PASSWORD);
    attempts_forgive(work, BASIC_ID, own->name);
    return own->verified(work);
}

static enum work_step show_password(struct work *work, work_fn *verified)
{
    struct own *own = work->state;

    if (!*own->hash)
        return refuse(work, AUTH_FORBIDDEN); /* it is another provider's */
    own->verified = verified;
    attempts_begin(work, BASIC_ID, own->name);
    return work_call(work, verify);
}

/* ---- changePassword ---- */

static enum work_step changed(struct work *work)
{
    if (redis_is_error(work->call.reply))
        return answer_failed(work);
    if (!answer_grants(work))
        return refuse(work, AUTH_BAD_PASSWORD); /* it was another one by now */
    sweep_start(work);
    return done(work);
}

static enum work_step change(struct work *work)
{
    _cleanup_(text_deinitp) struct text hash = {0};
    const struct own *own = work->state;

    if (secret_password_hash(own->new_password, strlen(own->new_password), &hash))
        return work_error(work, CODE_INTERNAL, "not enough memory");
    redis_call_begin(&work->call, &script_password);
    redis_call_arg(&work->call, work->request.user);
    redis_call_arg(&work->call, own->hash);
    redis_call_arg(&work->call, hash.at);
    redis_call_arg(&work->call, own->session);
    credentials_add_request_name(&work->call, &work->request);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, changed);
}

/* The password that it shows is not right any more when it is delivered again. */
static enum work_step change_known(struct work *work)
{
    const bool is_done = redis_i64(redis_item(work->call.reply, 5)) == 1;
    enum work_step step;

    if (!is_known(work, &step))
        return step;
    return is_done ? done(work) : show_password(work, change);
}

enum work_step plan_change_password(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct own *own = own_create(work);

    if (credentials_need_secret(&work->request, "oldPassword", CREDENTIALS_MAX, &own->password,
                                &problem) ||
        credentials_need_secret(&work->request, "newPassword", SECRET_PASSWORD_BYTES_MAX,
                                &own->new_password, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    return ask_who(work, change_known);
}

/* ---- endOtherSessions ---- */

static enum work_step others_ended(struct work *work)
{
    if (redis_is_error(work->call.reply))
        return answer_failed(work);
    sweep_start(work);
    return done(work);
}

static enum work_step others_known(struct work *work)
{
    const struct own *own = work->state;
    enum work_step step;

    if (!is_known(work, &step))
        return step;
    redis_call_begin(&work->call, &script_others_end);
    redis_call_arg(&work->call, work->request.user);
    redis_call_arg(&work->call, own->session);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, others_ended);
}

enum work_step plan_end_other_sessions(struct work *work)
{
    (void)own_create(work);
    return ask_who(work, others_known);
}

/* ---- deleteAccount ---- */

static enum work_step deleted(struct work *work)
{
    if (redis_is_error(work->call.reply))
        return answer_failed(work);
    return done(work);
}

static enum work_step delete_user(struct work *work)
{
    const int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_user_remove);
    redis_call_arg(&work->call, work->request.user);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + LAST_WORD_MS);
    return work_call(work, deleted);
}

/* With the password; or, at another provider, just behind a login there. */
static enum work_step delete_known(struct work *work)
{
    const int64_t fresh_ms = work->agent->proc.settings.auth_fresh_login_s * 1000;
    const int64_t age_ms = redis_i64(redis_item(work->call.reply, 2));
    const struct own *own = work->state;
    enum work_step step;

    if (!is_known(work, &step))
        return step;
    if (own->password)
        return show_password(work, delete_user);
    return age_ms <= fresh_ms ? delete_user(work) : refuse(work, AUTH_FORBIDDEN);
}

enum work_step plan_delete_account(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct own *own = own_create(work);

    if (credentials_read_secret(&work->request, "password", CREDENTIALS_MAX, &own->password,
                                &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    return ask_who(work, delete_known);
}
