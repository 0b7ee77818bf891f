#include "agents/sync/sessions/online.h"

#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/indexes.h"
#include "agents/runtime/lineage.h"
#include "agents/runtime/touches.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/fault.h"

const struct model_field *online_field(const struct model *model)
{
    const struct model_class *anchor = model_anchor(model);

    for (size_t i = 0; anchor && i < anchor->field_count; i++) {
        if (anchor->fields[i].server == SERVER_CONNECTED)
            return &anchor->fields[i];
    }
    return NULL;
}

static enum work_step shown(struct work *work)
{
    fault_point("after-online");
    if (!redis_is_error(work->call.reply)) /* else its lease brings it back */
        jobs_start(work, redis_item(work->call.reply, 0), redis_item(work->call.reply, 1));
    return WORK_DONE;
}

static enum work_step look(struct work *work)
{
    const struct model_class *anchor = model_anchor(work->agent->model);
    const struct settings *settings = &work->agent->proc.settings;
    const int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_online);
    children_add_args(&work->call, work->agent->children, NULL);
    touches_add_args(&work->call, work->agent->model);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + settings->sync_job_lease_ms);
    redis_call_arg_i64(&work->call, settings->sync_presence_grace_ms);
    redis_call_arg(&work->call, online_field(work->agent->model)->column);
    redis_call_arg_i64(&work->call, (int64_t)anchor->concrete_count);
    for (size_t i = 0; i < anchor->concrete_count; i++) {
        const struct model_class *c = anchor->concrete[i];

        lineage_add_args(&work->call, c, settings->sync_history_kept);
        indexes_add_args(&work->call, c->indexes, c->index_count);
    }
    return work_call(work, shown);
}

void online_start(const struct work *work, const char *user)
{
    if (online_field(work->agent->model))
        work_spawn_named(work, look, user);
}
