#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/pushes/resend.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

#define PER_STEP 100 /* objects and replies sent by one call */

/* A session that has to hear something again: the newest state of each object, updates first, then
 * deletes; replies that it has not confirmed. */
struct redeliver {
    char session[32];
    bool more;
};

static enum work_step found(struct work *work);

static enum work_step next_step(struct work *work)
{
    const struct redeliver *redeliver = work->state;

    redis_call_begin(&work->call, &script_redeliver);
    redis_call_arg(&work->call, redeliver->session);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, PER_STEP);
    redis_call_arg_i64(&work->call, work->agent->proc.settings.sync_replay_bytes);
    jobs_add_timing(work);
    rights_add_restricted(&work->call, work->agent->model);
    return work_call(work, found);
}

static enum work_step next_or_done(struct work *work)
{
    const struct redeliver *redeliver = work->state;

    return redeliver->more ? next_step(work) : WORK_DONE;
}

static enum work_step looked(struct work *work)
{
    return work_join(work, next_or_done);
}

static enum work_step sent(struct work *work)
{
    struct redeliver *redeliver = work->state;

    for (size_t i = 0; i < work->sent_count; i++)
        redeliver->more = redeliver->more && work->sent[i].outcome != AMQP_RETURNED;
    gateways_lost(work);
    return work_call(work, looked); /* the look that found() has built */
}

static enum work_step found(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const struct resend what = {redis_item(r, 4), redis_item(r, 5), redis_item(r, 6),
                                redis_i64(redis_item(r, 7)), redis_item(r, 8)};
    const struct push_to to = {redis_str(redis_item(r, 1)), redis_str(redis_item(r, 2))};
    struct resend_pushes pushes;
    struct redeliver *redeliver = work->state;

    if (redis_is_error(r) || redis_str(redis_item(r, 0))[0] != 'o')
        return WORK_DONE;
    redeliver->more = redis_i64(redis_item(r, 3)) == 1;
    resend_read(work, &what, &pushes);
    resend_send(work, &pushes, &to);
    resend_pushes_deinit(&pushes);
    resend_requests(work, &what, &to);
    resend_begin_look(work, &what, redeliver->session);
    return work_publish(work, sent);
}

void redeliver_start(const struct work *work, const char *session)
{
    struct redeliver *redeliver = calloc(1, sizeof(*redeliver));

    if (!redeliver)
        err_out_of_memory();
    strncpy(redeliver->session, session, sizeof(redeliver->session) - 1);
    work_spawn(work, next_step, redeliver, free);
}
