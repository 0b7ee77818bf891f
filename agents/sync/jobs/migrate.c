#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/indexes.h"
#include "agents/runtime/lineage.h"
#include "agents/runtime/listings.h"
#include "agents/runtime/touches.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/operator/survey.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/fault.h"

#define PER_STEP     100   /* objects */
#define REMEMBERED_S 86400 /* what became of it */

/*
 * A migration walks the classes that have no parent, in the order of the model, each with its
 * descendants. The store keeps how far it is; a worker that steps somewhere else is told.
 */
struct migrate {
    struct survey survey; /* first: see survey.h */
    char job[32];
    size_t number; /* of the class that is walked, in the model */
};

static void migrate_destroy(void *state)
{
    struct migrate *migrate = state;

    survey_deinit(&migrate->survey);
    free(migrate);
}

/* ---- What objects need ---- */

static bool needs_default(const struct survey *survey, const struct model_class *c, size_t i)
{
    return model_needs_default(survey->before, c, &c->fields[i]);
}

static bool needs_listing(const struct survey *survey, const struct model_class *c)
{
    for (size_t i = 0; i < c->field_count; i++) {
        if (model_needs_listing(survey->before, c, &c->fields[i]))
            return true;
    }
    return false;
}

static bool is_needed(const struct survey *survey, const struct model_class *c)
{
    for (size_t i = 0; i < c->field_count; i++) {
        if (needs_default(survey, c, i))
            return true;
    }
    if (needs_listing(survey, c))
        return true;
    for (size_t i = 0; i < c->index_count; i++) {
        if (model_needs_index(survey->before, &c->indexes[i], &survey->facts))
            return true;
    }
    return false;
}

static int64_t count_needed(const struct survey *survey, const struct model_class *c)
{
    int64_t count = 0;

    for (size_t i = 0; !c->parent && i < c->concrete_count; i++)
        count += is_needed(survey, c->concrete[i]);
    return count;
}

bool migrate_is_walked(const struct survey *survey, const struct model_class *c)
{
    return count_needed(survey, c) > 0;
}

static void add_defaults(struct redis_call *call, const struct survey *survey,
                         const struct model_class *c)
{
    int64_t count = 0;

    for (size_t i = 0; i < c->field_count; i++)
        count += needs_default(survey, c, i);
    redis_call_arg_i64(call, count * 3);
    for (size_t i = 0; i < c->field_count; i++) {
        if (!needs_default(survey, c, i))
            continue;
        redis_call_arg(call, c->fields[i].column);
        redis_call_arg(call, c->fields[i].initial);
        redis_call_arg(call, c->fields[i].required ? "1" : "0");
    }
}

static void add_families(struct work *work, const struct survey *survey,
                         const struct model_class *c)
{
    const int64_t count = count_needed(survey, c);

    redis_call_arg_i64(&work->call, count);
    for (size_t i = 0; count && i < c->concrete_count; i++) {
        const struct model_class *family = c->concrete[i];

        if (!is_needed(survey, family))
            continue;
        lineage_add_args(&work->call, family, work->agent->proc.settings.sync_history_kept);
        add_defaults(&work->call, survey, family);
        indexes_add_args(&work->call, family->indexes, family->index_count);
        redis_call_arg(&work->call, needs_listing(survey, family) ? "1" : "0");
    }
}

/* ---- The walk ---- */

static enum work_step end(struct work *work)
{
    const struct migrate *migrate = work->state;

    redis_call_begin(&work->call, &script_migrate_end);
    redis_call_arg(&work->call, migrate->job);
    redis_call_arg_i64(&work->call, REMEMBERED_S);
    indexes_add_names(&work->call, work->agent->model);
    return work_call(work, work_done);
}

static enum work_step step_done(struct work *work);

static enum work_step next_step(struct work *work)
{
    const struct migrate *migrate = work->state;
    const struct model *model = work->agent->model;
    const int64_t now = clock_wall_ms();
    const struct model_class *c;

    if (migrate->number >= model_class_count(model))
        return end(work);
    c = model_class_at(model, migrate->number);
    redis_call_begin(&work->call, &script_migrate);
    listings_add_all(&work->call, work->agent->model, &work->agent->proc.settings);
    children_add_args(&work->call, work->agent->children, NULL);
    touches_add_args(&work->call, work->agent->model);
    redis_call_arg(&work->call, migrate->job);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + work->agent->proc.settings.sync_job_lease_ms);
    redis_call_arg_i64(&work->call, PER_STEP);
    redis_call_arg_i64(&work->call, (int64_t)migrate->number);
    redis_call_arg(&work->call, c->name);
    redis_call_arg(&work->call, c->id == ID_INTEGER ? "1" : "0");
    add_families(work, &migrate->survey, c);
    return work_call(work, step_done);
}

static enum work_step step_done(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *jobs = redis_item(r, 1);
    const char *outcome = redis_str(redis_item(r, 0));
    struct migrate *migrate = work->state;

    if (redis_is_error(r) || !strcmp(outcome, "gone"))
        return WORK_DONE;
    fault_point("after-migrate-step");
    if (!strcmp(outcome, "at"))
        migrate->number = (size_t)redis_i64(jobs);
    jobs_start(work, jobs, NULL);
    return next_step(work);
}

/* Without the survey its lease brings it back. */
static enum work_step surveyed(struct work *work)
{
    const struct migrate *migrate = work->state;

    return migrate->survey.before ? next_step(work) : WORK_DONE;
}

static enum work_step begin(struct work *work)
{
    return survey_begin(work, work->agent->model, surveyed);
}

void job_migrate_start(const struct work *work, const char *job)
{
    struct migrate *migrate = calloc(1, sizeof(*migrate));

    if (!migrate)
        err_out_of_memory();
    strncpy(migrate->job, job, sizeof(migrate->job) - 1);
    work_spawn(work, begin, migrate, migrate_destroy);
}
