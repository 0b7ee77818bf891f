#include "agents/runtime/lineage.h"

void lineage_add_args(struct redis_call *call, const struct model_class *c, int64_t history_kept)
{
    const struct model_class *at = c;
    int64_t count = 0;

    do {
        count++;
    } while ((at = at->parent));
    redis_call_arg(call, c->id == ID_INTEGER ? "1" : "0");
    redis_call_arg_i64(call, c->history ? history_kept : 0);
    redis_call_arg_i64(call, count);
    for (; c; c = c->parent)
        redis_call_arg(call, c->name);
}
