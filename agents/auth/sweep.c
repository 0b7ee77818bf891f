#include "agents/auth/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "agents/auth/store/scripts.h"
#include "agents/runtime/agent.h"
#include "agents/runtime/control.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define PER_STEP 50 /* sessions: each takes some fifty commands */

static enum work_step swept(struct work *work);

static void begin(struct redis_call *call, const struct settings *settings)
{
    const int64_t now = clock_wall_ms();

    redis_call_begin(call, &script_sweep);
    redis_call_arg_i64(call, now);
    redis_call_arg_i64(call, now + settings->sync_job_lease_ms);
    redis_call_arg_i64(call, PER_STEP);
    redis_call_arg_i64(call, settings->sync_results_s);
}

/* The next step. What the broker has taken is told as done; a gateway that is gone has no sockets.
 */
static enum work_step next_step(struct work *work)
{
    struct redis_call *call = &work->call;
    int64_t count = 0;

    begin(call, &work->agent->proc.settings);
    for (size_t i = 0; i < work->sent_count; i++)
        count += work->sent[i].outcome == AMQP_CONFIRMED;
    redis_call_arg_i64(call, count);
    for (size_t i = 0; i < work->sent_count; i++) {
        _cleanup_(text_deinitp) struct text closing = {0};

        if (work->sent[i].outcome != AMQP_CONFIRMED)
            continue;
        text_addf(&closing, "%s %s", work->sent[i].msg->client, work->sent[i].msg->queue);
        redis_call_arg(call, closing.at);
    }
    return work_call(work, swept);
}

/* "<client> <gateway>", and no client id has a space. */
static void close_socket(struct work *work, const char *closing)
{
    const char *space = strchr(closing, ' ');
    _cleanup_(text_deinitp) struct text client = {0};

    if (!space)
        return;
    text_add_bytes(&client, closing, (size_t)(space - closing));
    control_close(work, text_str(&client), space + 1, CLOSE_REVOKED);
}

static enum work_step swept(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const struct redis_reply *closings = redis_item(r, 1);

    if (redis_is_error(r)) {
        log_error("auth.script_failed", LOG_STR("script", work->call.script->name),
                  LOG_STR("error", redis_str(r)));
        return WORK_DONE;
    }
    for (size_t i = 0; i < redis_count(closings); i++)
        close_socket(work, redis_str(redis_item(closings, i)));
    if (redis_count(closings))
        return work_publish(work, next_step);
    return redis_i64(redis_item(r, 0)) ? plan_sweep(work) : WORK_DONE;
}

enum work_step plan_sweep(struct work *work)
{
    begin(&work->call, &work->agent->proc.settings);
    redis_call_arg_i64(&work->call, 0); /* told of none */
    return work_call(work, swept);
}

void sweep_start(const struct work *work)
{
    work_spawn(work, plan_sweep, NULL, NULL);
}
