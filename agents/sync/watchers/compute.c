#include "agents/sync/watchers/compute.h"

#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"

#define PER_STEP 250 /* objects and references that a step reads, dependencies that it forgets */

void computing_deinit(struct computing *computing)
{
    watched_deinit(&computing->watched);
    text_deinit(&computing->run);
    text_deinit(&computing->touched);
    text_deinit(&computing->value);
    walk_destroy(computing->walk);
}

static enum work_step end(struct work *work, enum computed outcome)
{
    struct computing *computing = work->state;

    computing->outcome = outcome;
    return computing->then(work);
}

static enum work_step end_failed(struct work *work)
{
    const struct computing *computing = work->state;

    log_error("watcher.failed", LOG_STR("item", text_str(&computing->watched.item)),
              LOG_STR("reply", redis_str(work->call.reply)));
    return end(work, COMPUTED_FAILED);
}

/* ---- What it does not depend on any more ---- */

static enum work_step swept(struct work *work);

static enum work_step sweep(struct work *work)
{
    redis_call_begin(&work->call, &script_watch_sweep);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, PER_STEP);
    return work_call(work, swept);
}

static enum work_step swept(struct work *work)
{
    return redis_i64(work->call.reply) == 1 ? sweep(work) : WORK_DONE;
}

/* ---- The value ---- */

static enum work_step settled(struct work *work)
{
    struct computing *computing = work->state;
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return end_failed(work);
    if (strcmp(redis_str(redis_item(r, 0)), "ok") != 0)
        return end(work, COMPUTED_VANISHED);
    fault_point("after-watch-settle");
    computing->version = redis_i64(redis_item(r, 1));
    text_clear(&computing->value);
    text_add(&computing->value, redis_str(redis_item(r, 2)));
    jobs_start(work, redis_item(r, 3), NULL);
    if (redis_i64(redis_item(r, 4)) == 1)
        work_spawn_named(work, sweep, text_str(&computing->watched.item));
    return end(work, COMPUTED);
}

static enum work_step settle(struct work *work, const char *value)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct computing *computing = work->state;
    const int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_watch_settle);
    redis_call_arg(&work->call, text_str(&computing->watched.item));
    redis_call_arg(&work->call, text_str(&computing->run));
    redis_call_arg(&work->call, text_str(&computing->touched));
    redis_call_arg(&work->call, value);
    redis_call_arg(&work->call, computing->is_gone ? "1" : "0");
    redis_call_arg(&work->call, computing->asker);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, settings->sync_watch_window_ms);
    redis_call_arg_i64(&work->call, now + settings->sync_job_lease_ms);
    redis_call_arg(&work->call, model_digest(work->agent->model));
    redis_call_arg_i64(&work->call, PER_STEP);
    return work_call(work, settled);
}

/* Whoever asks is told so; those who watch it already are told that there is none any more. */
static enum work_step too_many(struct work *work)
{
    const struct computing *computing = work->state;

    log_warn("watcher.too_many", LOG_STR("item", text_str(&computing->watched.item)));
    return *computing->asker ? end(work, COMPUTED_TOO_MANY) : settle(work, "null");
}

/* ---- Reading ---- */

static enum work_step have_read(struct work *work);

static enum work_step read_next(struct work *work)
{
    const struct computing *computing = work->state;
    const bool is_personal = computing->watched.sid.size > 0;
    enum walk_next next;

    redis_call_begin(&work->call, &script_watch_read);
    redis_call_arg(&work->call, text_str(&computing->watched.item));
    redis_call_arg(&work->call, text_str(&computing->run));
    redis_call_arg_i64(&work->call, clock_wall_ms() + work->agent->proc.settings.sync_job_lease_ms);
    redis_call_arg(&work->call, text_str(&computing->watched.sid));
    if (is_personal)
        rights_add_restricted(&work->call, work->agent->model);
    else
        redis_call_arg_i64(&work->call, 0);
    redis_call_arg_i64(&work->call, PER_STEP);
    next = walk_next(computing->walk, &work->call);
    if (next == WALK_READ)
        return work_call(work, have_read);
    return next == WALK_DONE ? settle(work, walk_value(computing->walk)) : too_many(work);
}

static enum work_step have_read(struct work *work)
{
    struct computing *computing = work->state;
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return end_failed(work);
    if (strcmp(redis_str(redis_item(r, 0)), "ok") != 0)
        return end(work, COMPUTED_VANISHED);
    fault_point("after-watch-read");
    walk_take(computing->walk, r);
    return read_next(work);
}

enum work_step compute(struct work *work, work_fn *then)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct walk_limits limits = {(size_t)settings->sync_max_watched_objects,
                                       (size_t)settings->sync_max_answer_bytes};
    struct computing *computing = work->state;

    computing->then = then;
    if (computing->is_gone)
        return settle(work, "null");
    computing->walk = walk_create(work->agent->model, &computing->watched, &limits);
    return read_next(work);
}

enum work_step compute_settle(struct work *work, const char *value, work_fn *then)
{
    struct computing *computing = work->state;

    computing->then = then;
    return settle(work, value);
}
