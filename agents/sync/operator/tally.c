#include "agents/sync/operator/tally.h"

#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/metrics.h"
#include "agents/sync/own.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

#define PAGES_PER_CALL 128
#define BOOKS          4 /* figures that are the sums over all pages */

struct tally {
    int64_t values[TALLY_COUNT];
};

static enum work_step read_pages(struct work *work, int64_t first);

static enum work_step publish(struct work *work)
{
    const struct tally *tally = work->state;
    struct metrics *m = work->agent->own_metrics;

    for (size_t i = 0; i < TALLY_COUNT; i++)
        metrics_set(m, i, tally->values[i]);
    metrics_set(m, TALLY_PENDING,
                tally->values[TALLY_MADE] - tally->values[TALLY_ACKNOWLEDGED] -
                    tally->values[TALLY_SUPERSEDED] - tally->values[TALLY_ENDED]);
    metrics_set(m, TALLY_TIME, clock_wall_ms() / 1000);
    return WORK_DONE;
}

static enum work_step pages_read(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct tally *tally = work->state;
    int64_t next;

    if (redis_is_error(r))
        return WORK_DONE;
    for (size_t i = 0; i < TALLY_COUNT; i++) {
        const int64_t value = redis_i64(redis_item(r, i + 1));

        tally->values[i] = i < BOOKS ? tally->values[i] + value : value;
    }
    next = redis_i64(redis_item(r, 0));
    return next ? read_pages(work, next) : publish(work);
}

static enum work_step read_pages(struct work *work, int64_t first)
{
    redis_call_begin(&work->call, &script_tally);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, first);
    redis_call_arg_i64(&work->call, PAGES_PER_CALL);
    return work_call(work, pages_read);
}

static enum work_step begin(struct work *work)
{
    return read_pages(work, 0);
}

/* Whose turn is it? One of the workers'. */
static bool is_due(struct sync_own *own, int64_t pause_ms)
{
    int64_t now = clock_mono_ms(), next = atomic_load(&own->tally_ms);

    return now >= next && atomic_compare_exchange_strong(&own->tally_ms, &next, now + pause_ms);
}

void tally_if_due(const struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    struct tally *tally;

    if (!settings->status_port || !is_due(work->agent->own, settings->status_store_ms))
        return;
    tally = calloc(1, sizeof(*tally));
    if (!tally)
        err_out_of_memory();
    work_spawn(work, begin, tally, free);
}
