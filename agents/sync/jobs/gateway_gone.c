#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

#define PER_STEP 250 /* sessions of one call */

struct gateway_gone {
    char job[32];
};

static enum work_step step_done(struct work *work);

static enum work_step next_step(struct work *work)
{
    const struct gateway_gone *gone = work->state;
    int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_gateway_gone);
    redis_call_arg(&work->call, gone->job);
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
    struct gateway_gone *gone = calloc(1, sizeof(*gone));

    if (!gone)
        err_out_of_memory();
    strncpy(gone->job, job, sizeof(gone->job) - 1);
    work_spawn(work, next_step, gone, free);
}

/* ---- Messages that came back ---- */

struct gateway_lost {
    char *gateway;
};

static void gateway_lost_destroy(void *state)
{
    struct gateway_lost *lost = state;

    free(lost->gateway);
    free(lost);
}

static enum work_step told(struct work *work)
{
    (void)work;
    return WORK_DONE; /* the job that was ordered is due */
}

static enum work_step tell(struct work *work)
{
    const struct gateway_lost *lost = work->state;

    redis_call_begin(&work->call, &script_gateway_lost);
    redis_call_arg(&work->call, lost->gateway);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, told);
}

void gateways_lost(const struct work *work)
{
    for (size_t i = 0; i < work->sent_count; i++) {
        struct gateway_lost *lost;

        if (work->sent[i].outcome != AMQP_RETURNED)
            continue;
        lost = calloc(1, sizeof(*lost));
        if (!lost || !(lost->gateway = strdup(work->sent[i].msg->queue)))
            err_out_of_memory();
        work_spawn(work, tell, lost, gateway_lost_destroy);
    }
}
