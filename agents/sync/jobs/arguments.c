#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "common/model/model_content.h"

void jobs_add_timing(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;

    redis_call_arg_i64(&work->call, settings->sync_redelivery_first_ms);
    redis_call_arg_i64(&work->call, settings->sync_redelivery_max_ms);
    redis_call_arg_i64(&work->call, settings->sync_redelivery_silent_ms);
    redis_call_arg_i64(&work->call, settings->sync_reply_repeat_ms);
}

void jobs_add_idle(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;

    redis_call_arg_i64(&work->call, settings->sync_session_idle_s * 1000);
    redis_call_arg_i64(&work->call, settings->sync_content_idle_s * 1000);
}

/* As long as a request that was accepted before its end may be under way. */
void jobs_add_known(struct work *work)
{
    redis_call_arg_i64(&work->call, work->agent->proc.settings.sync_results_s);
}

/* The columns of one class that are no part of the content; only counted when `call` is NULL. */
static int64_t add_unseen(struct redis_call *call, const struct model_class *c)
{
    int64_t count = 0;

    for (size_t i = 0; c->type && !c->abstract && i < c->field_count; i++) {
        if (model_in_content(c, &c->fields[i]))
            continue;
        count++;
        if (call) {
            redis_call_arg(call, c->name);
            redis_call_arg(call, c->fields[i].column);
        }
    }
    return count;
}

void jobs_add_unseen(struct work *work)
{
    const struct model *model = work->agent->model;
    int64_t count = 0;

    for (size_t i = 0; i < model_class_count(model); i++)
        count += add_unseen(NULL, model_class_at(model, i));
    redis_call_arg_i64(&work->call, count * 2);
    for (size_t i = 0; i < model_class_count(model); i++)
        (void)add_unseen(&work->call, model_class_at(model, i));
}
