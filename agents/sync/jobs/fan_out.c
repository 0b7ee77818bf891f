#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/control.h"
#include "agents/sync/content/notify.h"
#include "agents/sync/jobs/feed.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/pushes/push.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/watchers/watched.h"
#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"

/*
 * One step of the job marks a batch of sessions and sends the change to those that can be told now.
 * Only when the broker has the messages, and nothing newer was overtaken, does the next step begin;
 * it is the one that moves the job's cursor in Redis. So a worker that dies at any point leaves a
 * job whose last step is done again.
 */
struct fan_out {
    char job[32];
    int64_t set, after; /* the cursor; set 0: wherever the job stands */
    bool done;
    bool fed; /* this worker has added the change to the feed */
};

static enum work_step marked(struct work *work);

static enum work_step mark_next(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct fan_out *fan_out = work->state;
    int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_fan_out);
    redis_call_arg(&work->call, fan_out->job);
    redis_call_arg_i64(&work->call, fan_out->set);
    redis_call_arg_i64(&work->call, fan_out->after);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + settings->sync_job_lease_ms);
    redis_call_arg_i64(&work->call, settings->sync_mark_batch);
    redis_call_arg_i64(&work->call, settings->sync_max_marks);
    jobs_add_known(work);
    jobs_add_timing(work);
    rights_add_restricted(&work->call, work->agent->model);
    jobs_add_unseen(work);
    return work_call(work, marked);
}

static enum work_step step_complete(struct work *work)
{
    const struct fan_out *fan_out = work->state;

    if (!fan_out->done)
        return mark_next(work);
    redis_call_begin(&work->call, &script_fan_out_end);
    redis_call_arg(&work->call, fan_out->job);
    return work_call(work, work_done);
}

/* ---- The messages are with the broker: was anything overtaken? ---- */

static enum work_step pushed(struct work *work)
{
    const struct fan_out *fan_out = work->state;

    fault_point("after-push");
    gateways_lost(work);
    if (!feed_is_taken(work)) {
        log_warn("feed.refused", LOG_STR("job", fan_out->job));
        return WORK_DONE; /* its lease brings it back */
    }
    return work_call(work, step_complete); /* the look that marked() has built */
}

/* ---- A batch is marked: tell those who can be told now ---- */

#define RECIPIENT_PARTS 4 /* session, client, gateway, what it is told */

static void add_object(struct push *push, const struct stored_ref *ref, const struct redis_reply *r,
                       const struct redis_reply *fields)
{
    _cleanup_(text_deinitp) struct text updated = {0};

    push_begin(push, PUSH_UPDATE, redis_i64(redis_item(r, 11)));
    push_add_update(push, ref, fields);
    stored_add_updated(&updated, *ref, fields, redis_i64(redis_item(r, 7)));
    push_end(push, &updated);
}

static void add_delete(struct push *push, const struct stored_ref *ref, int64_t number)
{
    push_begin(push, PUSH_DELETE, number);
    push_add_delete(push, ref);
    push_end(push, NULL);
}

/* Pushes stay empty if the model does not know what the script speaks of. */
static void make_push(struct push *push, const struct redis_reply *r,
                      const struct redis_reply *said, const struct model *model)
{
    const char *item = redis_str(redis_item(r, 4));
    const struct stored_ref ref = stored_ref(model, item);
    const char kind = redis_str(redis_item(r, 5))[0];
    const int64_t number = redis_i64(redis_item(r, 11));

    if (kind == PUSH_VALUE)
        watched_push(push, model, item, redis_str(redis_item(said, 0)), number);
    else if (ref.class_ && kind == PUSH_DELETE)
        add_delete(push, &ref, number);
    else if (ref.class_)
        add_object(push, &ref, r, said);
}

static bool is_review(const struct redis_reply *r)
{
    return redis_i64(redis_item(r, 15)) == 1;
}

/* Also a job that another worker has left: whether that one has, is not known. A review tells of no
 * change. */
static void feed(struct work *work, const struct redis_reply *r)
{
    struct fan_out *fan_out = work->state;
    const char kind = redis_str(redis_item(r, 5))[0];
    const struct feed_change change = {
        .ref = stored_ref(work->agent->model, redis_str(redis_item(r, 4))),
        .removed = kind == 'd',
        .since = redis_i64(redis_item(r, 7)),
        .version = redis_i64(redis_item(r, 6)),
        .fields = redis_item(redis_item(r, 8), 0),
    };

    if (!fan_out->fed && change.ref.class_ && (kind == 'u' || kind == 'd') && !is_review(r))
        feed_add(work, &change);
    fan_out->fed = true;
}

static void send(struct work *work, const struct push *pushes, const struct redis_reply *recipients)
{
    size_t count = redis_count(recipients) / RECIPIENT_PARTS;
    struct push_to *to;

    if (!pushes->count)
        return;
    to = calloc(count + 1, sizeof(*to));
    if (!to)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++) {
        to[i].client = redis_str(redis_item(recipients, i * RECIPIENT_PARTS + 1));
        to[i].gateway = redis_str(redis_item(recipients, i * RECIPIENT_PARTS + 2));
        to[i].push = (size_t)redis_i64(redis_item(recipients, i * RECIPIENT_PARTS + 3));
    }
    push_send(work, pushes, to, count);
    free(to);
}

/* What recipients may see of the object differs; each is told its own. */
static void send_change(struct work *work, const struct redis_reply *r)
{
    const struct redis_reply *said = redis_item(r, 8), *recipients = redis_item(r, 9);
    const size_t count = redis_count(said);
    struct push *pushes = calloc(count + 1, sizeof(*pushes));

    if (!pushes)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++)
        make_push(&pushes[i], r, redis_item(said, i), work->agent->model);
    send(work, pushes, recipients);
    for (size_t i = 0; i < count; i++)
        push_deinit(&pushes[i]);
    free(pushes);
}

/* To whom the change goes, and who is told that the object has gone, for them. */
static void send_all(struct work *work, const struct redis_reply *r)
{
    const struct redis_reply *losers = redis_item(r, 13);
    const struct stored_ref ref = stored_ref(work->agent->model, redis_str(redis_item(r, 4)));
    struct push loss = {0};

    if (redis_count(redis_item(r, 9)))
        send_change(work, r);
    if (redis_count(losers) && ref.class_)
        add_delete(&loss, &ref, redis_i64(redis_item(r, 11)));
    send(work, &loss, losers);
    push_deinit(&loss);
}

static void add_sessions(struct redis_call *call, const struct redis_reply *list)
{
    for (size_t i = 0; i < redis_count(list); i += RECIPIENT_PARTS)
        redis_call_arg(call, redis_str(redis_item(list, i)));
}

/* Takes the place of the reply in work->call. */
static void begin_look(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const struct redis_reply *recipients = redis_item(r, 9), *losers = redis_item(r, 13);
    struct redis_call look = {0};

    overtaken_begin(&look, work->agent->model, 1);
    overtaken_told(&look, redis_str(redis_item(r, 4)), redis_i64(redis_item(r, 6)),
                   redis_str(redis_item(r, 5))[0] != PUSH_DELETE);
    overtaken_sessions(&look, redis_count(recipients) / RECIPIENT_PARTS,
                       redis_count(losers) / RECIPIENT_PARTS);
    add_sessions(&look, recipients);
    add_sessions(&look, losers);
    redis_call_deinit(&work->call);
    work->call = look;
}

/* What the step has found out about the job itself. */
static void keep_place(struct fan_out *fan_out, const struct redis_reply *r)
{
    fan_out->done = redis_i64(redis_item(r, 1)) == 1;
    fan_out->set = redis_i64(redis_item(r, 2));
    fan_out->after = redis_i64(redis_item(r, 3));
}

static void redeliver_all(const struct work *work, const struct redis_reply *sessions)
{
    for (size_t i = 0; i < redis_count(sessions); i++)
        redeliver_start(work, redis_str(redis_item(sessions, i)));
}

static enum work_step marked(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct fan_out *fan_out = work->state;

    if (redis_is_error(r)) {
        log_error("job.failed", LOG_STR("job", fan_out->job), LOG_STR("reply", redis_str(r)));
        return WORK_DONE; /* its lease brings it back */
    }
    if (redis_str(redis_item(r, 0))[0] != 'o')
        return WORK_DONE;
    fault_point("after-marks");
    keep_place(fan_out, r);
    send_all(work, r);
    feed(work, r);
    control_close_all(work, redis_item(r, 10), CLOSE_ENDED);
    notify_sessions(work, redis_item(r, 12));
    redeliver_all(work, redis_item(r, 14));
    if (!work->out_count)
        return step_complete(work);
    begin_look(work);
    return work_publish(work, pushed);
}

static void start(const struct work *work, const char *job, int64_t set)
{
    struct fan_out *fan_out = calloc(1, sizeof(*fan_out));

    if (!fan_out)
        err_out_of_memory();
    strncpy(fan_out->job, job, sizeof(fan_out->job) - 1);
    fan_out->set = set;
    work_spawn(work, mark_next, fan_out, free);
}

void job_fan_out_start(const struct work *work, const char *job)
{
    start(work, job, 1);
}

void job_fan_out_resume(const struct work *work, const char *job)
{
    start(work, job, 0);
}
