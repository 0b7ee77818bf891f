#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/content/enter.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/operations.h"
#include "agents/sync/refused.h"
#include "agents/sync/sessions/connected.h"
#include "agents/sync/sessions/online.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/protocol/content.h"

#define DEVICE_TYPE_MAX 255 /* bytes */

/* ---- connect: the session that a login has earned ---- */

static enum work_step connect_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const bool is_content = request_is_content(&work->request);
    const bool is_bound = redis_str(redis_item(r, 0))[0] == 'o';

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the session could not be made");
    if (is_bound) {
        online_start(work, work->request.user);
        return is_content ? enter(work, redis_str(redis_item(r, 3)))
                          : connected_answer(work, NULL, NULL);
    }
    if (is_content)
        return work_content_error(work, 401, CONTENT_DENIED, "Invalid Credential");
    return connected_answer(work, "the login is unknown or has ended", NULL);
}

enum work_step plan_connect(struct work *work)
{
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text token = {0};
    char hash[SECRET_HASH_CHARS + 1];

    if (json_decode(json_member(rq->body, "token", NULL), &token) || !*rq->client || !*rq->user)
        return work_error(work, CODE_MALFORMED, "clientId, userId and token: expected strings");
    secret_token_hash(text_str(&token), token.size, hash);
    redis_call_begin(&work->call, &script_connect);
    redis_call_arg(&work->call, rq->client);
    redis_call_arg(&work->call, rq->msg->reply_to ? rq->msg->reply_to : "");
    redis_call_arg(&work->call, rq->address);
    redis_call_arg(&work->call, rq->user);
    redis_call_arg(&work->call, rq->device);
    redis_call_arg(&work->call, hash);
    redis_call_arg(&work->call, rq->msg->dialect ? rq->msg->dialect : "activestack");
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, connect_answer);
}

/* ---- disconnect, hibernate: the binding ends, the session stays ---- */

static enum work_step empty_answer(struct work *work)
{
    _cleanup_(text_deinitp) struct text nothing = {0};

    return work_reply(work, &nothing, NULL);
}

static enum work_step unbind(struct work *work, bool hibernates, work_fn *after)
{
    redis_call_begin(&work->call, &script_disconnect);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg(&work->call, hibernates ? "1" : "0");
    jobs_add_idle(work);
    return work_call(work, after);
}

enum work_step plan_disconnect(struct work *work)
{
    return unbind(work, false, empty_answer);
}

/* Is there such a session? */
static enum work_step known_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    _cleanup_(text_deinitp) struct text body = {0};

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the session could not be changed");
    work_response_begin(work, &body, NULL);
    text_addf(&body, ",\"result\":%s", redis_str(redis_item(r, 0))[0] == 'o' ? "true" : "false");
    response_end(&body);
    return work_reply(work, &body, NULL);
}

enum work_step plan_hibernate(struct work *work)
{
    return unbind(work, true, known_answer);
}

/* ---- upgradeClient: the session outlives a logout, and hears at once what it has missed ---- */

static enum work_step upgrade_answer(struct work *work)
{
    enum work_step step;

    return refused(work, "the session could not be changed", &step) ? step : known_answer(work);
}

enum work_step plan_upgrade_client(struct work *work)
{
    const struct request *rq = &work->request;
    struct json_span given = json_member(rq->body, "deviceType", NULL);
    _cleanup_(text_deinitp) struct text type = {0};
    enum json_kind kind = json_kind(given);

    if (kind != JSON_ABSENT && kind != JSON_NULL && json_decode(given, &type))
        return work_error(work, CODE_MALFORMED, "deviceType: expected a string, or null");
    if (type.size > DEVICE_TYPE_MAX)
        return work_error(work, CODE_MALFORMED, "deviceType: expected at most 255 bytes");
    redis_call_begin(&work->call, &script_upgrade);
    redis_call_arg(&work->call, rq->client);
    redis_call_arg_i64(&work->call, rq->accepted_ms);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg(&work->call, rq->msg->reply_to ? rq->msg->reply_to : "");
    redis_call_arg_bytes(&work->call, text_str(&type), type.size);
    return work_call(work, upgrade_answer);
}

/* ---- logout: the session ends, unless the client is persistent ---- */

static enum work_step logout_answer(struct work *work)
{
    const struct redis_reply *job = redis_item(work->call.reply, 2);

    if (job)
        job_end_session_start(work, redis_str(job), redis_str(redis_item(work->call.reply, 1)));
    return empty_answer(work);
}

enum work_step plan_logout(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    struct json_span destroy = json_member(work->request.body, "pleaseDestroyClient", NULL);
    int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_logout);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, work->request.accepted_ms);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + settings->sync_job_lease_ms);
    jobs_add_known(work);
    redis_call_arg(&work->call, json_is_true(destroy) ? "1" : "0");
    jobs_add_idle(work);
    return work_call(work, logout_answer);
}
