#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

#define PER_STEP 100 /* sessions of one call: some ten steps in Redis for each */

static enum work_step step_done(struct work *work);

static enum work_step next_step(struct work *work)
{
    int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_gateway_gone);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + work->agent->proc.settings.sync_job_lease_ms);
    redis_call_arg_i64(&work->call, PER_STEP);
    jobs_add_idle(work);
    return work_call(work, step_done);
}

static enum work_step step_done(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    return redis_is_error(r) || redis_i64(r) == 1 ? WORK_DONE : next_step(work);
}

void job_gateway_gone_start(const struct work *work, const char *job)
{
    work_spawn_named(work, next_step, job);
}

/* ---- Messages that came back ---- */

static enum work_step tell(struct work *work)
{
    redis_call_begin(&work->call, &script_gateway_lost);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, work_done);
}

void gateways_lost(const struct work *work)
{
    for (size_t i = 0; i < work->sent_count; i++) {
        if (work->sent[i].outcome == AMQP_RETURNED)
            work_spawn_named(work, tell, work->sent[i].msg->queue);
    }
}
