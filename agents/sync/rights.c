#include "agents/sync/rights.h"

void rights_add_rule(struct redis_call *call, const struct model_class *c, enum action action)
{
    redis_call_arg(call, c->rules[action].text);
}

static bool is_restricted(const struct model_class *c)
{
    return !c->abstract && c->rules[ACTION_READ].restricts;
}

static void add_class(struct redis_call *call, const struct model_class *c)
{
    redis_call_arg(call, c->name);
    rights_add_rule(call, c, ACTION_READ);
    redis_call_arg_i64(call, 0);
}

void rights_add_restricted(struct redis_call *call, const struct model *model)
{
    int64_t count = 0;

    for (size_t i = 0; i < model_class_count(model); i++)
        count += is_restricted(model_class_at(model, i));
    redis_call_arg_i64(call, count);
    for (size_t i = 0; i < model_class_count(model); i++) {
        if (is_restricted(model_class_at(model, i)))
            add_class(call, model_class_at(model, i));
    }
}

void rights_add_restricted_of(struct redis_call *call, const struct model_class *c)
{
    redis_call_arg_i64(call, (int64_t)c->concrete_count);
    for (size_t i = 0; i < c->concrete_count; i++)
        add_class(call, c->concrete[i]);
}
