#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/watchers/watchers.h"
#include "common/base/clock.h"
#include "common/base/fault.h"

#define PER_STEP 250 /* values that are touched by one call */
#define MOST_OWN 20  /* of these the worker computes at once; others find the rest */

static enum work_step touched(struct work *work);

static enum work_step next_step(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_watch_touch);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + settings->sync_job_lease_ms);
    redis_call_arg_i64(&work->call, PER_STEP);
    redis_call_arg_i64(&work->call, settings->sync_watch_window_ms);
    redis_call_arg_i64(&work->call, MOST_OWN);
    return work_call(work, touched);
}

static enum work_step touched(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *items = redis_item(r, 0);

    if (redis_is_error(r))
        return WORK_DONE; /* its lease brings it back */
    fault_point("after-watch-touch");
    for (size_t i = 0; i < redis_count(items); i++)
        watchers_recompute_start(work, redis_str(redis_item(items, i)));
    return redis_i64(redis_item(r, 1)) == 1 ? next_step(work) : WORK_DONE;
}

void watchers_touch_start(const struct work *work, const char *job)
{
    work_spawn_named(work, next_step, job);
}
