#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/control.h"
#include "agents/sync/content/resume.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/operations.h"
#include "agents/sync/pushes/resend.h"
#include "agents/sync/rights.h"
#include "agents/sync/sessions/connected.h"
#include "agents/sync/sessions/online.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/secret.h"

/*
 * reconnect (spec 1.6; design section 7): the session is bound to the fresh client id, and hears
 * what it has missed: updates, deletes, replies, and then the ConnectResponse. What does not go
 * into one frame is told a frame at a time: the gateway asks again when the last one has left the
 * socket.
 */

#define NAMES_MAX 32 /* earlier client ids that are looked at, the newest */

/* ---- Refusals ---- */

static enum work_step refuse(struct work *work, const char *why)
{
    static const struct {
        const char *why, *text;
    } texts[] = {
        {"login", "the login is unknown or has ended"},
        {"unknown", "no such session is known"},
        {"taken over", "another connection has taken the session over"},
        {"gone", "the connection has ended"},
    };
    _cleanup_(text_deinitp) struct text ended = {0};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!strcmp(texts[i].why, why))
            return connected_answer(work, texts[i].text, NULL);
    }
    text_addf(&ended, "the session has ended: %s", why);
    return connected_answer(work, ended.at, NULL);
}

/* ---- Telling ---- */

static enum work_step looked_and_more(struct work *work)
{
    return work_call(work, work_done); /* the look; the gateway asks for the next step */
}

static enum work_step complete(struct work *work)
{
    return connected_answer(work, NULL, NULL);
}

static enum work_step looked(struct work *work)
{
    return work_join(work, complete);
}

static enum work_step look(struct work *work)
{
    return work_call(work, looked);
}

/* Whoever held the session before has to go, and must not come back. */
static void send_away(struct work *work, const struct redis_reply *r)
{
    const char *went = redis_str(redis_item(r, 2));

    if (*went)
        control_close(work, went, redis_str(redis_item(r, 3)), CLOSE_TAKEN_OVER);
}

static enum work_step tell(struct work *work, const struct redis_reply *r)
{
    const struct push_to to = {work->request.client, work->request.msg->reply_to};
    const struct resend what = {redis_item(r, 5), redis_item(r, 6), redis_item(r, 7),
                                redis_i64(redis_item(r, 8)), redis_item(r, 9)};
    _cleanup_(text_deinitp) struct text body = {0}, session = {0};
    const bool more = redis_i64(redis_item(r, 4)) == 1;
    struct resend_pushes pushes;

    text_add(&session, redis_str(redis_item(r, 1)));
    resend_read(work, &what, &pushes);
    if (more)
        push_add_body(&body, pushes.at, pushes.count, to.client);
    else
        resend_send(work, &pushes, &to);
    resend_pushes_deinit(&pushes);
    resend_requests(work, &what, &to);
    resend_begin_look(work, &what, session.at);
    if (more)
        return work_reply_with(work, &body, &(struct msg){.reason = MSG_REASON_MORE},
                               looked_and_more);
    return work_publish(work, look);
}

static enum work_step bound(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the session could not be bound");
    if (redis_str(redis_item(r, 0))[0] != 'o')
        return refuse(work, redis_str(redis_item(r, 1)));
    online_start(work, work->request.user);
    send_away(work, r);
    return tell(work, r);
}

/* ---- The request ---- */

static void add_name(struct work *work, struct json_span name)
{
    _cleanup_(text_deinitp) struct text text = {0};

    if (json_decode(name, &text))
        text_clear(&text); /* nobody has this name */
    redis_call_arg_bytes(&work->call, text_str(&text), text.size);
}

/* Adds the list of earlier client ids: the newest of existingClientIds, which has them in the order
 * in which they were used, and behind them existingClientId. */
static void add_names(struct work *work)
{
    struct json_span list = json_member(work->request.body, "existingClientIds", NULL);
    struct json_walk all = json_walk(list), names = json_walk(list);
    int64_t count = 0;

    while (json_next(&all))
        count++;
    for (; count > NAMES_MAX && json_next(&names); count--)
        continue;
    redis_call_arg_i64(&work->call, count + 1);
    while (json_next(&names))
        add_name(work, names.value);
    add_name(work, json_member(work->request.body, "existingClientId", NULL));
}

enum work_step plan_reconnect(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text token = {0};
    char hash[SECRET_HASH_CHARS + 1];

    if (request_is_content(rq))
        return content_resume(work);
    if (json_decode(json_member(rq->body, "token", NULL), &token) || !*rq->client || !*rq->user ||
        !rq->msg->reply_to)
        return work_error(work, CODE_MALFORMED,
                          "clientId, userId and token: expected strings, and a queue to reply to");
    secret_token_hash(text_str(&token), token.size, hash);
    redis_call_begin(&work->call, &script_reconnect);
    redis_call_arg(&work->call, rq->client);
    redis_call_arg(&work->call, rq->msg->reply_to);
    redis_call_arg(&work->call, rq->address);
    redis_call_arg(&work->call, rq->user);
    redis_call_arg(&work->call, rq->device);
    redis_call_arg(&work->call, hash);
    redis_call_arg(&work->call, rq->msg->dialect ? rq->msg->dialect : "activestack");
    add_names(work);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, rq->accepted_ms);
    redis_call_arg_i64(&work->call, settings->sync_replay_bytes);
    jobs_add_timing(work);
    rights_add_restricted(&work->call, work->agent->model);
    return work_call(work, bound);
}
