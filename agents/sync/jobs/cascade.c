#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/listings.h"
#include "agents/runtime/touches.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/removal.h"
#include "common/base/clock.h"
#include "common/base/fault.h"

#define PER_STEP 100 /* referring objects of one call */

static enum work_step step_done(struct work *work);

static enum work_step next_step(struct work *work)
{
    redis_call_begin(&work->call, &script_cascade);
    listings_add_all(&work->call, work->agent->model, &work->agent->proc.settings);
    children_add_args(&work->call, work->agent->children, NULL);
    touches_add_args(&work->call, work->agent->model);
    removal_add_args(work);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, clock_wall_ms() + work->agent->proc.settings.sync_job_lease_ms);
    redis_call_arg_i64(&work->call, PER_STEP);
    return work_call(work, step_done);
}

static enum work_step step_done(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r) || redis_str(redis_item(r, 0))[0] != 'o')
        return WORK_DONE;
    fault_point("after-cascade-step");
    jobs_start(work, redis_item(r, 1), NULL);
    return next_step(work);
}

void job_cascade_start(const struct work *work, const char *job)
{
    work_spawn_named(work, next_step, job);
}
