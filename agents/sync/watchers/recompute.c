#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/watchers/compute.h"
#include "agents/sync/watchers/process.h"
#include "agents/sync/watchers/watchers.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define PER_STEP 250 /* dependencies that are dropped */

struct recompute {
    struct computing computing; /* first: see compute.h */
    struct text item;
};

static void recompute_destroy(void *state)
{
    struct recompute *recompute = state;

    computing_deinit(&recompute->computing);
    text_deinit(&recompute->item);
    free(recompute);
}

static enum work_step begun(struct work *work);

static enum work_step begin(struct work *work)
{
    const struct recompute *recompute = work->state;
    const int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_watch_begin);
    redis_call_arg(&work->call, text_str(&recompute->item));
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + work->agent->proc.settings.sync_job_lease_ms);
    redis_call_arg_i64(&work->call, PER_STEP);
    return work_call(work, begun);
}

/* Whatever has come of it is stored, or its lease brings it back. */
static enum work_step computed(struct work *work)
{
    (void)work;
    return WORK_DONE;
}

static enum work_step begun(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct recompute *recompute = work->state;
    struct computing *computing = &recompute->computing;
    const char *outcome = redis_str(redis_item(r, 0));

    if (!strcmp(outcome, "dropping"))
        return begin(work);
    if (redis_is_error(r) || strcmp(outcome, "compute") != 0)
        return WORK_DONE;
    if (!watched_read(&computing->watched, work->agent->model, text_str(&recompute->item))) {
        log_debug("watcher.unknown", LOG_STR("item", text_str(&recompute->item)));
        return WORK_DONE; /* an agent with another model may know it */
    }
    text_add(&computing->run, redis_str(redis_item(r, 1)));
    text_add(&computing->touched, redis_str(redis_item(r, 2)));
    computing->is_gone = redis_i64(redis_item(r, 3)) == 0;
    if (!computing->is_gone && computing->watched.watcher->value == WATCH_PROCESS)
        return process_ask(work, "", work_done);
    return compute(work, computed);
}

void watchers_recompute_start(const struct work *work, const char *item)
{
    struct recompute *recompute = calloc(1, sizeof(*recompute));

    if (!recompute)
        err_out_of_memory();
    text_add(&recompute->item, item);
    work_spawn(work, begin, recompute, recompute_destroy);
}
