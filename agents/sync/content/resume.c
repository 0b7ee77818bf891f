#include "agents/sync/content/resume.h"

#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/control.h"
#include "agents/sync/content/notify.h"
#include "agents/sync/sessions/online.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/protocol/content.h"

/* ---- The answer is with the broker: what was missed may follow ---- */

struct resumed {
    struct text session, quiet; /* until when it is told nothing */
};

static void resumed_destroy(void *state)
{
    struct resumed *resumed = state;

    text_deinit(&resumed->session);
    text_deinit(&resumed->quiet);
    free(resumed);
}

static enum work_step tell(struct work *work)
{
    const struct resumed *resumed = work->state;

    notify_session(work, resumed->session.at);
    return WORK_DONE;
}

static enum work_step may_tell(struct work *work)
{
    const struct resumed *resumed = work->state;

    redis_call_begin(&work->call, &script_resumed);
    redis_call_arg(&work->call, resumed->session.at);
    redis_call_arg(&work->call, resumed->quiet.at);
    return work_call(work, tell);
}

/* ---- The session is bound, or not ---- */

static enum work_step grant(struct work *work, const struct redis_reply *r)
{
    const char *went = redis_str(redis_item(r, 2));
    _cleanup_(text_deinitp) struct text body = {0};
    struct resumed *resumed = calloc(1, sizeof(*resumed));

    if (!resumed)
        err_out_of_memory();
    text_add(&resumed->session, redis_str(redis_item(r, 1)));
    text_add(&resumed->quiet, redis_str(redis_item(r, 5)));
    work->state = resumed;
    work->state_destroy = resumed_destroy;
    if (*went)
        control_close(work, went, redis_str(redis_item(r, 3)), CLOSE_TAKEN_OVER);
    content_add_result(&body, work->request.message_id, content_cls(work->request.operation), 200,
                       NULL);
    return work_reply_with(work, &body, &(struct msg){.user = redis_str(redis_item(r, 4))},
                           may_tell);
}

static enum work_step bound(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the session could not be bound");
    if (redis_str(redis_item(r, 0))[0] != 'o')
        return work_content_error(work, 401, CONTENT_UNKNOWN, "Unknown Session");
    online_start(work, redis_str(redis_item(r, 4)));
    return grant(work, r);
}

enum work_step content_resume(struct work *work)
{
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text token = {0};
    char hash[SECRET_HASH_CHARS + 1];

    if (json_decode(json_member(rq->body, "token", NULL), &token) || !*rq->client ||
        !rq->msg->reply_to)
        return work_error(work, CODE_MALFORMED,
                          "token: expected a string, and a queue to reply to");
    secret_token_hash(text_str(&token), token.size, hash);
    redis_call_begin(&work->call, &script_resume);
    redis_call_arg(&work->call, rq->client);
    redis_call_arg(&work->call, rq->msg->reply_to);
    redis_call_arg(&work->call, rq->address);
    redis_call_arg(&work->call, ""); /* whose token it is nobody has said */
    redis_call_arg(&work->call, rq->device);
    redis_call_arg(&work->call, hash);
    redis_call_arg(&work->call, rq->msg->dialect);
    redis_call_arg_i64(&work->call, 0); /* nor under which names they were known */
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, rq->accepted_ms);
    return work_call(work, bound);
}
