#include "agents/sync/overtaken.h"

#include "agents/sync/store/scripts.h"
#include "common/clock.h"

void overtaken_begin(struct redis_call *call, size_t objects)
{
    redis_call_begin(call, &script_overtaken);
    redis_call_arg_i64(call, clock_wall_ms());
    redis_call_arg_i64(call, (int64_t)objects * 2);
}

void overtaken_told(struct redis_call *call, const char *ref, int64_t version)
{
    redis_call_arg(call, ref);
    redis_call_arg_i64(call, version);
}

void overtaken_sessions(struct redis_call *call, size_t sessions)
{
    redis_call_arg_i64(call, (int64_t)sessions);
}

static enum work_step done(struct work *work)
{
    (void)work;
    return WORK_DONE;
}

enum work_step overtaken_look(struct work *work)
{
    return work_call(work, done);
}
