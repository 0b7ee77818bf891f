#include "agents/runtime/agent.h"
#include "agents/runtime/control.h"
#include "agents/runtime/lineage.h"
#include "agents/sync/content/notify.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/fault.h"

#define PER_STEP 100 /* objects of one call */

/* Do roles say who may read its objects, or what of them? */
static bool says_roles(const struct model_rule *rule)
{
    return rule && rule->restricts && model_rule_has(rule, RULE_ROLE);
}

static bool has_roles(const struct model_class *c)
{
    bool found = says_roles(&c->rules[ACTION_READ]);

    for (size_t i = 0; !found && i < c->field_count; i++)
        found = says_roles(c->fields[i].read);
    return found && !c->abstract;
}

static enum work_step reviewed(struct work *work);

static enum work_step next_step(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct model *model = work->agent->model;
    const int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_review_roles);
    redis_call_arg(&work->call, work->state);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + settings->sync_job_lease_ms);
    redis_call_arg_i64(&work->call, PER_STEP);
    redis_call_arg_i64(&work->call, settings->sync_max_marks);
    jobs_add_known(work);
    rights_add_restricted(&work->call, model);
    for (size_t i = 0; i < model_class_count(model); i++) {
        if (has_roles(model_class_at(model, i)))
            lineage_add_args(&work->call, model_class_at(model, i), settings->sync_history_kept);
    }
    return work_call(work, reviewed);
}

static enum work_step reviewed(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const char *behind = redis_str(redis_item(r, 3)), *ready = redis_str(redis_item(r, 4));

    if (redis_is_error(r) || redis_str(redis_item(r, 0))[0] != 'o')
        return WORK_DONE; /* its lease brings it back, if it failed */
    fault_point("after-review-step");
    control_close_all(work, redis_item(r, 2), CLOSE_ENDED);
    if (*behind)
        redeliver_start(work, behind);
    if (*ready)
        notify_session(work, ready);
    if (redis_i64(redis_item(r, 1)) == 1)
        return WORK_DONE;
    return work->out_count ? work_publish(work, next_step) : next_step(work);
}

void job_review_roles_start(const struct work *work, const char *job)
{
    work_spawn_named(work, next_step, job);
}
