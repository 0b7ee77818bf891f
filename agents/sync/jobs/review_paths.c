#include "agents/runtime/agent.h"
#include "agents/runtime/lineage.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/fault.h"

#define PER_STEP 100 /* places of one call */

/* Do paths say who may read its objects, or what of them? */
static bool says_paths(const struct model_rule *rule)
{
    return rule && rule->restricts && model_rule_has(rule, RULE_PATH);
}

static bool has_paths(const struct model_class *c)
{
    bool found = says_paths(&c->rules[ACTION_READ]);

    for (size_t i = 0; !found && i < c->field_count; i++)
        found = says_paths(c->fields[i].read);
    return found && !c->abstract;
}

static enum work_step went_back(struct work *work);

static enum work_step next_step(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct model *model = work->agent->model;

    redis_call_begin(&work->call, &script_review_paths);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, clock_wall_ms() + settings->sync_job_lease_ms);
    redis_call_arg_i64(&work->call, PER_STEP);
    rights_add_restricted(&work->call, model);
    for (size_t i = 0; i < model_class_count(model); i++) {
        if (has_paths(model_class_at(model, i)))
            lineage_add_args(&work->call, model_class_at(model, i), settings->sync_history_kept);
    }
    return work_call(work, went_back);
}

static enum work_step went_back(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r) || redis_str(redis_item(r, 0))[0] != 'o')
        return WORK_DONE; /* its lease brings it back, if it failed */
    fault_point("after-path-step");
    jobs_start(work, redis_item(r, 2), NULL);
    return redis_i64(redis_item(r, 1)) == 1 ? WORK_DONE : next_step(work);
}

void job_review_paths_start(const struct work *work, const char *job)
{
    work_spawn_named(work, next_step, job);
}
