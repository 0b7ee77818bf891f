#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

#define PER_STEP 250 /* watches and marks of one call */

struct end_session {
    char job[32], session[32];
};

static enum work_step step_done(struct work *work);

static enum work_step next_step(struct work *work)
{
    const struct end_session *end = work->state;

    redis_call_begin(&work->call, &script_end_session);
    redis_call_arg(&work->call, end->job);
    redis_call_arg(&work->call, end->session);
    redis_call_arg_i64(&work->call, PER_STEP);
    redis_call_arg_i64(&work->call, clock_wall_ms() + work->agent->proc.settings.sync_job_lease_ms);
    return work_call(work, step_done);
}

static enum work_step step_done(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r) || redis_i64(redis_item(r, 1)) == 1)
        return WORK_DONE;
    return next_step(work);
}

void job_end_session_start(const struct work *work, const char *job, const char *session)
{
    struct end_session *end = calloc(1, sizeof(*end));

    if (!end)
        err_out_of_memory();
    strncpy(end->job, job, sizeof(end->job) - 1);
    strncpy(end->session, session, sizeof(end->session) - 1);
    work_spawn(work, next_step, end, free);
}
