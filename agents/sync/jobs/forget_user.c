#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/listings.h"
#include "agents/runtime/touches.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/removal.h"
#include "common/base/clock.h"

static enum work_step step_done(struct work *work);

static enum work_step next_step(struct work *work)
{
    const int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_forget_user);
    listings_add_all(&work->call, work->agent->model, &work->agent->proc.settings);
    children_add_args(&work->call, work->agent->children, NULL);
    touches_add_args(&work->call, work->agent->model);
    removal_add_args(work);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + work->agent->proc.settings.sync_job_lease_ms);
    return work_call(work, step_done);
}

static enum work_step step_done(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r) || redis_str(redis_item(r, 0))[0] != 'o')
        return WORK_DONE;
    jobs_start(work, redis_item(r, 1), redis_item(r, 2));
    return next_step(work);
}

void job_forget_user_start(const struct work *work, const char *job)
{
    work_spawn_named(work, next_step, job);
}
