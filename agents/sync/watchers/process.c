#include "agents/sync/watchers/process.h"

#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/own.h"
#include "agents/sync/processes/calls.h"
#include "agents/sync/processes/declared.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

static void ask(const struct work *work, const struct redis_reply *run)
{
    const struct computing *computing = work->state;
    const struct watched *watched = &computing->watched;
    _cleanup_(text_deinitp) struct text arguments = {0}, name = {0};

    text_add(&arguments, "{\"className\":");
    text_add_json_str(&arguments, watched->class_->name);
    text_add(&arguments, ",\"ID\":");
    text_add_json_str(&arguments, strchr(text_str(&watched->ref), ':') + 1);
    text_add(&arguments, ",\"fieldName\":");
    text_add_json_str(&arguments, text_str(&watched->name));
    text_addf(&arguments, ",\"params\":%s}", text_str(&watched->params));
    text_addf(&name, "%s\n%s\n%s", text_str(&watched->item), redis_str(redis_item(run, 1)),
              redis_str(redis_item(run, 2)));
    calls_ask(work, &(struct own_call){.process = watched->watcher->process,
                                       .arguments = arguments.at,
                                       .user = "",
                                       .watcher = name.at});
}

static enum work_step waits(struct work *work)
{
    const struct computing *computing = work->state;
    const struct redis_reply *r = work->call.reply;

    if (!redis_is_error(r) && !strcmp(redis_str(redis_item(r, 0)), "ask"))
        ask(work, r);
    return computing->then(work);
}

enum work_step process_ask(struct work *work, const char *waiting, work_fn *next)
{
    struct computing *computing = work->state;
    const struct process *process =
        declared_process(declared_of(work->agent), computing->watched.watcher->process);
    const int64_t now = clock_wall_ms();
    const int64_t deadline = now + work->agent->proc.settings.sync_job_lease_ms;

    computing->then = next;
    redis_call_begin(&work->call, &script_watch_wait);
    redis_call_arg(&work->call, text_str(&computing->watched.item));
    redis_call_arg(&work->call, waiting);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, deadline + (process ? process->deadline_ms : 0));
    redis_call_arg(&work->call, model_digest(work->agent->model));
    return work_call(work, waits);
}
