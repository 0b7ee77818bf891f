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
