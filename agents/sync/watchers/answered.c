#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/watchers/process.h"
#include "agents/sync/watchers/reads.h"
#include "agents/sync/watchers/watchers.h"
#include "common/base/clock.h"
#include "common/base/log.h"

/* What a process has said of a value: it depends on what was read, is settled, and told to those
 * who wait for it. */

#define PER_STEP     250 /* dependencies of one call */
#define MOST_WAITING 50  /* requests that are answered at once */

struct answered {
    struct computing computing; /* first: see compute.h */
    struct reads reads;
    size_t depended; /* of the reads */
    struct text value;
    bool failed;
    size_t told;
};

static void answered_destroy(void *state)
{
    struct answered *answered = state;

    computing_deinit(&answered->computing);
    reads_deinit(&answered->reads);
    text_deinit(&answered->value);
    free(answered);
}

/* ---- Who waits ---- */

static void take_line(struct text *out, const char **at)
{
    size_t size = strcspn(*at, "\n");

    text_add_bytes(out, *at, size);
    *at += size + ((*at)[size] == '\n');
}

static bool is_json(const char *text, size_t size)
{
    static const struct json_limits none = {.depth = JSON_DEPTH_MAX, .number_chars = SIZE_MAX};

    return !json_check(text, size, &none, NULL);
}

/* What stands behind the client. Agents of before have kept the message id as it was: false, and it
 * is not to be read, when these two are not JSON. */
static bool take_asked(const char *at, struct text *message, struct json_span *params)
{
    _cleanup_(text_deinitp) struct text quoted = {0};

    take_line(&quoted, &at);
    if (!is_json(text_str(&quoted), quoted.size) || !is_json(at, strlen(at)))
        return false;
    *params = json_value(at, strlen(at));
    return !json_decode(json_span_of(quoted.at), message);
}

/* Who may not read the object any more is told that there is no value. */
static void add_reply(struct work *work, const char *waiting, bool may_read)
{
    _cleanup_(text_deinitp) struct text queue = {0}, correlation = {0}, client = {0};
    _cleanup_(text_deinitp) struct text message = {0}, body = {0};
    const struct answered *answered = work->state;
    struct json_span params;

    take_line(&queue, &waiting);
    take_line(&correlation, &waiting);
    take_line(&client, &waiting);
    if (!queue.size)
        return;
    if (!take_asked(waiting, &message, &params)) {
        log_warn("watcher.waiting_dropped", LOG_STR("item", answered->computing.watched.item.at),
                 LOG_STR("client", text_str(&client)));
        return;
    }
    response_begin(&body, &(struct response){.class_name = SYNC_CLASS("PushCWUpdateResponse"),
                                             .client = client.size ? client.at : NULL,
                                             .message_id = message.size ? message.at : NULL});
    watched_add_members(&body, &answered->computing.watched, params,
                        answered->failed || !may_read ? "null"
                                                      : text_str(&answered->computing.value));
    response_end(&body);
    work_add_out(work, &(struct msg){.queue = queue.at,
                                     .type = correlation.size ? "reply" : "again",
                                     .message_id = message.size ? message.at : NULL,
                                     .correlation_id = correlation.size ? correlation.at : NULL,
                                     .client = client.at,
                                     .body = body.at,
                                     .size = body.size});
}

static enum work_step waiting_found(struct work *work);

static enum work_step tell_next(struct work *work)
{
    const struct answered *answered = work->state;
    const int64_t later = clock_wall_ms() + work->agent->proc.settings.sync_job_lease_ms;

    redis_call_begin(&work->call, &script_watch_told);
    redis_call_arg(&work->call, text_str(&answered->computing.watched.item));
    if (answered->failed)
        redis_call_arg_i64(&work->call, later);
    else
        redis_call_arg(&work->call, "");
    redis_call_arg_i64(&work->call, (int64_t)answered->told);
    redis_call_arg_i64(&work->call, MOST_WAITING);
    rights_add_restricted(&work->call, work->agent->model);
    return work_call(work, waiting_found);
}

static enum work_step waiting_found(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct answered *answered = work->state;

    answered->told = redis_count(r) / 2;
    for (size_t i = 0; i < answered->told; i++)
        add_reply(work, redis_str(redis_item(r, i * 2)), redis_i64(redis_item(r, i * 2 + 1)) == 1);
    if (!answered->told)
        return WORK_DONE;
    return work->out_count ? work_publish(work, tell_next) : tell_next(work);
}

/* ---- The value ---- */

static enum work_step settled(struct work *work)
{
    const struct answered *answered = work->state;

    return answered->computing.outcome == COMPUTED ? tell_next(work) : WORK_DONE;
}

static enum work_step depended(struct work *work);

static enum work_step depend_next(struct work *work)
{
    struct answered *answered = work->state;
    const size_t count = answered->reads.count;
    size_t last = answered->depended + PER_STEP;

    if (answered->failed)
        return tell_next(work);
    if (answered->depended == count)
        return compute_settle(work, text_str(&answered->value), settled);
    redis_call_begin(&work->call, &script_watch_depend);
    redis_call_arg(&work->call, text_str(&answered->computing.watched.item));
    redis_call_arg(&work->call, text_str(&answered->computing.run));
    for (; answered->depended < count && answered->depended < last; answered->depended++) {
        redis_call_arg(&work->call, answered->reads.at[answered->depended].ref);
        redis_call_arg(&work->call, answered->reads.at[answered->depended].what);
    }
    return work_call(work, depended);
}

static enum work_step depended(struct work *work)
{
    if (strcmp(redis_str(redis_item(work->call.reply, 0)), "ok") != 0)
        return WORK_DONE; /* nobody watches it any more, or its lease brings it back */
    return depend_next(work);
}

/* Takes over what is known of the value. False: the answer is of no use. */
static bool take(struct answered *answered, const struct model *model, const char *watcher,
                 struct json_span answer)
{
    _cleanup_(text_deinitp) struct text item = {0}, problem = {0};
    struct computing *computing = &answered->computing;

    take_line(&item, &watcher);
    take_line(&computing->run, &watcher);
    take_line(&computing->touched, &watcher);
    if (!watched_read(&computing->watched, model, text_str(&item)))
        return false;
    answered->failed =
        !answer.at || !reads_take(&answered->reads, model, answer, &answered->value, &problem);
    if (problem.size)
        log_warn("watcher.answer_refused", LOG_STR("item", item.at), LOG_STR("why", problem.at));
    return true;
}

void watchers_answered(const struct work *work, const char *watcher, struct json_span answer)
{
    struct answered *answered = calloc(1, sizeof(*answered));

    if (!answered)
        err_out_of_memory();
    if (take(answered, work->agent->model, watcher, answer))
        work_spawn(work, depend_next, answered, answered_destroy);
    else
        answered_destroy(answered);
}
