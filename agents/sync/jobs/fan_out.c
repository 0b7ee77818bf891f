#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/overtaken.h"
#include "agents/sync/push.h"
#include "agents/sync/store/scripts.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"

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
    struct text unbind; /* sessions and epochs whose gateway turned out to be gone */
    size_t unbind_count;
    struct text sessions; /* session, gateway and epoch of each recipient, NUL-separated */
};

static void fan_out_destroy(void *state)
{
    struct fan_out *fan_out = state;

    text_deinit(&fan_out->unbind);
    text_deinit(&fan_out->sessions);
    free(fan_out);
}

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
    jobs_add_timing(work);
    jobs_add_restricted(work);
    return work_call(work, marked);
}

static enum work_step ended(struct work *work)
{
    (void)work;
    return WORK_DONE;
}

static enum work_step step_complete(struct work *work)
{
    const struct fan_out *fan_out = work->state;

    if (!fan_out->done)
        return mark_next(work);
    redis_call_begin(&work->call, &script_fan_out_end);
    redis_call_arg(&work->call, fan_out->job);
    return work_call(work, ended);
}

/* ---- A gateway that is gone: its sessions are unbound, their marks wait ---- */

static bool was_returned(const struct work *work, const char *gateway)
{
    for (size_t i = 0; i < work->sent_count; i++) {
        if (work->sent[i].outcome == AMQP_RETURNED && !strcmp(work->sent[i].msg->queue, gateway))
            return true;
    }
    return false;
}

static enum work_step unbind_or_complete(struct work *work)
{
    struct fan_out *fan_out = work->state;
    const char *at = text_str(&fan_out->unbind), *end = at + fan_out->unbind.size;

    if (!fan_out->unbind_count)
        return step_complete(work);
    redis_call_begin(&work->call, &script_unbind);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, (int64_t)fan_out->unbind_count * 2);
    for (; at < end; at += strlen(at) + 1)
        redis_call_arg(&work->call, at);
    fan_out->unbind_count = 0;
    return work_call(work, step_complete);
}

/* ---- The messages are with the broker: was anything overtaken? ---- */

static enum work_step pushed(struct work *work)
{
    struct fan_out *fan_out = work->state;
    const char *at = text_str(&fan_out->sessions), *end = at + fan_out->sessions.size;

    fault_point("after-push");
    text_clear(&fan_out->unbind);
    while (at < end) {
        const char *sid = at, *gateway = sid + strlen(sid) + 1;
        const char *epoch = gateway + strlen(gateway) + 1;

        at = epoch + strlen(epoch) + 1;
        if (was_returned(work, gateway)) {
            text_add_bytes(&fan_out->unbind, sid, strlen(sid) + 1);
            text_add_bytes(&fan_out->unbind, epoch, strlen(epoch) + 1);
            fan_out->unbind_count++;
        }
    }
    return work_call(work, unbind_or_complete); /* the look that marked() has built */
}

/* ---- A batch is marked: tell those who can be told now ---- */

static void add_body(struct text *body, struct stored_ref ref, const struct redis_reply *r)
{
    _cleanup_(text_deinitp) struct text updated = {0};
    const struct redis_reply *fields = redis_item(r, 8);

    if (redis_str(redis_item(r, 5))[0] == 'd') {
        push_delete_begin(body);
        model_add_pair(body, ref.class_->name, ref.id);
        push_delete_end(body);
        return;
    }
    push_update_begin(body);
    stored_add_object(body, ref, fields);
    stored_add_updated(&updated, ref, fields, redis_i64(redis_item(r, 7)));
    push_update_end(body, &updated);
}

/* Copies the recipients out of the reply, whose place in work->call the look takes. */
static size_t keep_sessions(struct text *sessions, const struct redis_reply *list)
{
    text_clear(sessions);
    for (size_t i = 0; i + 3 < redis_count(list); i += 4) {
        static const size_t parts[] = {0, 2, 3};

        for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
            const struct redis_reply *part = redis_item(list, i + parts[p]);

            text_add_bytes(sessions, redis_str(part), redis_size(part) + 1);
        }
    }
    return redis_count(list) / 4;
}

static void add_pushes(struct work *work, struct stored_ref ref, const struct redis_reply *r)
{
    const struct redis_reply *list = redis_item(r, 9);
    size_t count = redis_count(list) / 4;
    struct push_to *to = calloc(count + 1, sizeof(*to));
    _cleanup_(text_deinitp) struct text body = {0};

    if (!to)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++) {
        to[i].client = redis_str(redis_item(list, i * 4 + 1));
        to[i].gateway = redis_str(redis_item(list, i * 4 + 2));
        to[i].epoch = redis_str(redis_item(list, i * 4 + 3));
    }
    add_body(&body, ref, r);
    push_add(work, &body, to, count);
    free(to);
}

static void begin_look(struct work *work, const char *ref, int64_t version, size_t count)
{
    const struct fan_out *fan_out = work->state;
    const char *at = text_str(&fan_out->sessions);

    overtaken_begin(&work->call, 1);
    overtaken_told(&work->call, ref, version);
    overtaken_sessions(&work->call, count);
    for (size_t i = 0; i < count; i++) {
        redis_call_arg(&work->call, at);
        for (size_t part = 0; part < 3; part++)
            at += strlen(at) + 1;
    }
}

static enum work_step marked(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct fan_out *fan_out = work->state;
    _cleanup_(text_deinitp) struct text ref_text = {0};
    struct stored_ref ref;
    int64_t version;
    size_t count;

    if (redis_is_error(r)) {
        log_error("job.failed", LOG_STR("job", fan_out->job), LOG_STR("reply", redis_str(r)));
        return WORK_DONE; /* its lease brings it back */
    }
    if (redis_str(redis_item(r, 0))[0] != 'o')
        return WORK_DONE;
    fault_point("after-marks");
    fan_out->done = redis_i64(redis_item(r, 1)) == 1;
    fan_out->set = redis_i64(redis_item(r, 2));
    fan_out->after = redis_i64(redis_item(r, 3));
    text_add(&ref_text, redis_str(redis_item(r, 4)));
    ref = stored_ref(work->agent->model, ref_text.at);
    version = redis_i64(redis_item(r, 6));
    count = keep_sessions(&fan_out->sessions, redis_item(r, 9));
    if (!count || !ref.class_)
        return step_complete(work);
    add_pushes(work, ref, r);
    begin_look(work, ref_text.at, version, count);
    return work_publish(work, pushed);
}

static void start(const struct work *work, const char *job, int64_t set)
{
    struct fan_out *fan_out = calloc(1, sizeof(*fan_out));

    if (!fan_out)
        err_out_of_memory();
    strncpy(fan_out->job, job, sizeof(fan_out->job) - 1);
    fan_out->set = set;
    work_spawn(work, mark_next, fan_out, fan_out_destroy);
}

void job_fan_out_start(const struct work *work, const char *job)
{
    start(work, job, 1);
}

void job_fan_out_resume(const struct work *work, const char *job)
{
    start(work, job, 0);
}
