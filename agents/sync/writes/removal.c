#include "agents/sync/writes/removal.h"

#include "agents/runtime/agent.h"
#include "agents/runtime/lineage.h"
#include "agents/sync/jobs/jobs.h"

static void add_families(struct redis_call *call, const struct model *model, int64_t history_kept)
{
    int64_t count = 0;

    for (size_t i = 0; i < model_class_count(model); i++)
        count += !model_class_at(model, i)->abstract;
    redis_call_arg_i64(call, count);
    for (size_t i = 0; i < model_class_count(model); i++) {
        if (!model_class_at(model, i)->abstract)
            lineage_add_args(call, model_class_at(model, i), history_kept);
    }
}

static bool is_required_reference(const struct model_field *field)
{
    return field->required && field->type == FIELD_TO_ONE;
}

/* The required references of one class; only counted when `call` is NULL. */
static int64_t add_required(struct redis_call *call, const struct model_class *c)
{
    _cleanup_(text_deinitp) struct text name = {0};
    int64_t count = 0;

    for (size_t i = 0; i < c->field_count && !c->abstract; i++) {
        if (!is_required_reference(&c->fields[i]))
            continue;
        count++;
        text_clear(&name);
        text_addf(&name, "%s\n%s", c->name, c->fields[i].column);
        if (call)
            redis_call_arg(call, name.at);
    }
    return count;
}

void removal_add_args(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct model *model = work->agent->model;
    int64_t count = 0;

    add_families(&work->call, model, settings->sync_history_kept);
    for (size_t i = 0; i < model_class_count(model); i++)
        count += add_required(NULL, model_class_at(model, i));
    redis_call_arg_i64(&work->call, count);
    for (size_t i = 0; i < model_class_count(model); i++)
        (void)add_required(&work->call, model_class_at(model, i));
    redis_call_arg_i64(&work->call, settings->sync_tombstone_s);
}
