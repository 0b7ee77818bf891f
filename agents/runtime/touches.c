#include "agents/runtime/touches.h"

#include "common/model/model_watch.h"

void touches_add_args(struct redis_call *call, const struct model *model)
{
    size_t count;
    const char *const *inputs = model_rule_inputs(model, &count);

    redis_call_arg(call, model_has_watchers(model) ? "1" : "0");
    redis_call_arg_i64(call, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        redis_call_arg(call, inputs[i]);
}
