#include "agents/runtime/touches.h"

#include "common/model/model_watch.h"

void touches_add_args(struct redis_call *call, const struct model *model)
{
    redis_call_arg(call, model_has_watchers(model) ? "1" : "0");
}
