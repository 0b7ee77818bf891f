#include "agents/runtime/indexes.h"

void indexes_add_args(struct redis_call *call, const struct model_index *indexes, size_t count)
{
    redis_call_arg_i64(call, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        redis_call_arg(call, indexes[i].owner->name);
        redis_call_arg(call, indexes[i].columns);
        redis_call_arg(call, indexes[i].name);
        redis_call_arg(call, indexes[i].unique ? "1" : "0");
    }
}

static void add_names_of(struct redis_call *call, const struct model_class *c)
{
    const struct model_index *own;
    size_t count = model_own_indexes(c, &own);

    for (size_t i = 0; i < count; i++) {
        _cleanup_(text_deinitp) struct text name = {0};

        text_addf(&name, "%s:%s", c->name, own[i].columns);
        redis_call_arg(call, name.at);
    }
}

void indexes_add_names(struct redis_call *call, const struct model *model)
{
    int64_t count = 0;

    for (size_t i = 0; i < model_class_count(model); i++)
        count += (int64_t)model_own_indexes(model_class_at(model, i), NULL);
    redis_call_arg_i64(call, count);
    for (size_t i = 0; i < model_class_count(model); i++)
        add_names_of(call, model_class_at(model, i));
}
