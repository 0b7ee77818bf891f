#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/own.h"
#include "agents/sync/processes/calls.h"
#include "agents/sync/processes/declared.h"
#include "agents/sync/processes/ending.h"
#include "agents/sync/processes/publish.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/watchers/watchers.h"
#include "common/base/clock.h"
#include "common/base/secret.h"

/* Calls of the server's own: kept and published like those of clients, and ended by the same. */

struct asking {
    struct ending ending; /* first: see publish.h */
    const struct process *process;
    struct text arguments, user, watcher;
    int64_t deadline_ms;
};

static void asking_destroy(void *state)
{
    struct asking *asking = state;

    ending_deinit(&asking->ending);
    text_deinit(&asking->arguments);
    text_deinit(&asking->user);
    text_deinit(&asking->watcher);
    free(asking);
}

static enum work_step fail(struct work *work)
{
    const struct asking *asking = work->state;

    watchers_answered(work, text_str(&asking->watcher), (struct json_span){0});
    return WORK_DONE;
}

static enum work_step kept(struct work *work)
{
    const struct asking *asking = work->state;

    if (redis_is_error(work->call.reply))
        return fail(work);
    return publish_call(work, asking->process,
                        &(struct msg){.message_id = text_str(&asking->ending.call),
                                      .user = asking->user.size ? asking->user.at : NULL,
                                      .body = text_str(&asking->arguments),
                                      .size = asking->arguments.size},
                        asking->deadline_ms, work_done);
}

static enum work_step counted(struct work *work)
{
    struct asking *asking = work->state;

    if (work->consumers <= 0)
        return fail(work);
    asking->deadline_ms = clock_wall_ms() + asking->process->deadline_ms;
    redis_call_begin(&work->call, &script_process_ask);
    redis_call_arg(&work->call, text_str(&asking->ending.call));
    redis_call_arg(&work->call, asking->process->name);
    redis_call_arg(&work->call, text_str(&asking->watcher));
    redis_call_arg_i64(&work->call, asking->deadline_ms);
    return work_call(work, kept);
}

static enum work_step begin(struct work *work)
{
    const struct asking *asking = work->state;

    if (!asking->process)
        return fail(work);
    return work_count_consumers(work, asking->process->queue, counted);
}

void calls_ask(const struct work *work, const struct own_call *call)
{
    struct asking *asking = calloc(1, sizeof(*asking));
    char id[SECRET_ID_CHARS + 1];

    if (!asking)
        err_out_of_memory();
    secret_random_id(id);
    asking->process = declared_process(declared_of(work->agent), call->process);
    text_add(&asking->ending.call, id);
    text_add(&asking->arguments, call->arguments);
    text_add(&asking->user, call->user);
    text_add(&asking->watcher, call->watcher);
    work_spawn(work, begin, asking, asking_destroy);
}
