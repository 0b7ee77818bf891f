#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/metrics.h"
#include "agents/sync/content/notify.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/operations.h"
#include "agents/sync/operator/tally.h"
#include "agents/sync/processes/calls.h"
#include "agents/sync/sessions/online.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/watchers/watchers.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/model/model_watch.h"
#include "common/protocol/format.h"

#define MOST_CLAIMED  50  /* jobs, sessions, users, calls, and values, at a time */
#define MOST_NOTIFIED 250 /* sessions that are told in blocks */

static void continue_job(const struct work *work, const struct redis_reply *job)
{
    static const struct {
        const char *type;
        void (*start)(const struct work *work, const char *job);
    } types[] = {
        {"fan-out", job_fan_out_resume},     {"touch", watchers_touch_start},
        {"cascade", job_cascade_start},      {"migrate", job_migrate_start},
        {"paths", job_review_paths_start},   {"roles", job_review_roles_start},
        {"gateway", job_gateway_gone_start}, {"forget", job_forget_user_start},
    };
    const char *id = redis_str(redis_item(job, 0)), *type = redis_str(redis_item(job, 1));

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(type, types[i].type)) {
            types[i].start(work, id);
            return;
        }
    }
    if (!strcmp(type, "end"))
        job_end_session_start(work, id, redis_str(redis_item(job, 2)));
    else
        log_error("job.unknown", LOG_STR("job", id), LOG_STR("type", type));
}

/* A job that a newer agent has ordered is left to such a one: when the lease is over, it is due. */
static void continue_if_known(const struct work *work, const struct redis_reply *job)
{
    const char *format = redis_str(redis_item(job, 3));

    if (format_is_read((uint32_t)strtoul(format, NULL, 10))) {
        continue_job(work, job);
        return;
    }
    metrics_add(work->agent->metrics, FIGURE_FORMAT_UNKNOWN, 1);
    log_error("job.format", LOG_STR("job", redis_str(redis_item(job, 0))),
              LOG_STR("type", redis_str(redis_item(job, 1))), LOG_STR("format", format));
}

static enum work_step claimed(struct work *work)
{
    const struct redis_reply *jobs = redis_item(work->call.reply, 0);
    const struct redis_reply *sessions = redis_item(work->call.reply, 1);
    const struct redis_reply *notified = redis_item(work->call.reply, 2);
    const struct redis_reply *users = redis_item(work->call.reply, 3);
    const struct redis_reply *calls = redis_item(work->call.reply, 4);
    const struct redis_reply *values = redis_item(work->call.reply, 5);
    const bool more = redis_count(notified) == MOST_NOTIFIED || redis_count(values) == MOST_CLAIMED;

    for (size_t i = 0; i < redis_count(jobs); i++)
        continue_if_known(work, redis_item(jobs, i));
    for (size_t i = 0; i < redis_count(sessions); i++)
        redeliver_start(work, redis_str(redis_item(sessions, i)));
    for (size_t i = 0; i < redis_count(users); i++)
        online_start(work, redis_str(redis_item(users, i)));
    for (size_t i = 0; i < redis_count(calls); i++)
        calls_overdue_start(work, redis_str(redis_item(calls, i)));
    for (size_t i = 0; i < redis_count(values); i++)
        watchers_recompute_start(work, redis_str(redis_item(values, i)));
    notify_sessions(work, notified);
    tally_if_due(work);
    return more ? plan_poll(work) : WORK_DONE;
}

enum work_step plan_poll(struct work *work)
{
    int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_claim);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + work->agent->proc.settings.sync_job_lease_ms);
    redis_call_arg_i64(&work->call, MOST_CLAIMED);
    jobs_add_known(work);
    redis_call_arg(&work->call, model_digest(work->agent->model));
    redis_call_arg_i64(&work->call, MOST_NOTIFIED);
    redis_call_arg_i64(&work->call, online_field(work->agent->model) ? MOST_CLAIMED : 0);
    redis_call_arg_i64(&work->call, model_has_watchers(work->agent->model) ? MOST_CLAIMED : 0);
    return work_call(work, claimed);
}
