#include "agents/sync/processes/ending.h"

#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/watchers/watchers.h"
#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/secret.h"

#define RECIPIENT_PARTS 4 /* how, client, queue, correlation id */

void ending_deinit(struct ending *ending)
{
    text_deinit(&ending->call);
    text_deinit(&ending->by);
    outcome_deinit(&ending->outcome);
}

enum work_step ending_told(struct work *work)
{
    const struct ending *ending = work->state;

    redis_call_begin(&work->call, NULL);
    redis_call_arg(&work->call, "ZREM");
    redis_call_arg(&work->call, "processes");
    redis_call_arg_bytes(&work->call, text_str(&ending->call), ending->call.size);
    return work_call(work, work_done);
}

/* ---- Telling ---- */

static void add_message(struct work *work, const struct redis_reply *r,
                        const struct redis_reply *to, size_t i)
{
    const struct ending *ending = work->state;
    const char *process = redis_str(redis_item(r, 1)), *message = redis_str(redis_item(r, 2));
    const struct response head = {.client = redis_str(redis_item(to, i + 1)),
                                  .message_id = *message ? message : NULL};
    const char *correlation = redis_str(redis_item(to, i + 3));
    _cleanup_(text_deinitp) struct text body = {0};

    outcome_add_response(&body, &ending->outcome, process, &head);
    work_add_out(work, &(struct msg){.queue = redis_str(redis_item(to, i + 2)),
                                     .type = redis_str(redis_item(to, i)),
                                     .message_id = head.message_id,
                                     .correlation_id = *correlation ? correlation : NULL,
                                     .client = head.client,
                                     .body = body.at,
                                     .size = body.size});
}

static enum work_step published(struct work *work)
{
    const struct ending *ending = work->state;

    fault_point("after-call-told");
    return ending->after(work);
}

/* For a watcher; absent: the call has failed. */
static struct json_span value_of(const struct outcome *outcome)
{
    if (outcome->kind != OUTCOME_RESULT)
        return (struct json_span){0};
    return json_value(text_str(&outcome->body), outcome->body.size);
}

static enum work_step ended(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *to = redis_item(r, 4);
    const struct ending *ending = work->state;
    const char *word = redis_str(redis_item(r, 0));

    fault_point("after-call-ended");
    if (!redis_is_error(r) && strcmp(word, "ok") != 0)
        log_warn("process.answer_dropped", LOG_STR("call", text_str(&ending->call)),
                 LOG_STR("why", word));
    if (*redis_str(redis_item(r, 3)))
        watchers_answered(work, redis_str(redis_item(r, 3)), value_of(&ending->outcome));
    for (size_t i = 0; i + RECIPIENT_PARTS <= redis_count(to); i += RECIPIENT_PARTS)
        add_message(work, r, to, i);
    return work->out_count ? work_publish(work, published) : ending->after(work);
}

enum work_step ending_begin(struct work *work, work_fn *after)
{
    const struct settings *settings = &work->agent->proc.settings;
    struct ending *ending = work->state;
    const struct outcome *o = &ending->outcome;
    const bool is_kept = o->body.size <= (size_t)settings->process_result_bytes_kept;
    const int64_t now = clock_wall_ms();
    char step[SECRET_ID_CHARS + 1];
    const char kind[] = {(char)o->kind, '\0'};

    ending->after = after;
    secret_random_id(step);
    redis_call_begin(&work->call, &script_process_end);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_bytes(&work->call, text_str(&ending->call), ending->call.size);
    redis_call_arg(&work->call, text_str(&ending->by));
    redis_call_arg(&work->call, step);
    redis_call_arg(&work->call, ending->again ? "1" : "0");
    redis_call_arg(&work->call, kind);
    redis_call_arg(&work->call, text_str(&o->code));
    redis_call_arg_bytes(&work->call, text_str(&o->name), o->name.size);
    redis_call_arg_bytes(&work->call, text_str(&o->body), is_kept ? o->body.size : 0);
    redis_call_arg(&work->call, is_kept ? "1" : "0");
    redis_call_arg_i64(&work->call, settings->process_results_kept);
    redis_call_arg_i64(&work->call, settings->process_result_bytes_kept);
    jobs_add_known(work); /* results_s, too */
    redis_call_arg_i64(&work->call, ending->leased ? now + settings->sync_job_lease_ms : 0);
    return work_call(work, ended);
}
