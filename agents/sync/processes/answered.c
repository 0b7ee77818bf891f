#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/processes/calls.h"
#include "agents/sync/processes/ending.h"
#include "agents/sync/store/scripts.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/protocol/operations.h"

/*
 * What becomes of calls: workers answer or tell how far they are (processReplied), the broker gives
 * up (processFailed, where the queues of processes have their dead letters), or time is over.
 */

static void destroy(void *state)
{
    ending_deinit(state);
    free(state);
}

static struct ending *ending_of(struct work *work, const char *call)
{
    struct ending *ending = calloc(1, sizeof(*ending));

    if (!ending)
        err_out_of_memory();
    text_add(&ending->call, call);
    work->state = ending;
    work->state_destroy = destroy;
    return ending;
}

/* ---- Progress ---- */

static enum work_step progress_found(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const struct msg *m = work->request.msg;
    const char *client = redis_str(redis_item(r, 2)), *message = redis_str(redis_item(r, 1));
    _cleanup_(text_deinitp) struct text body = {0};
    struct json_span progress;

    if (redis_is_error(r) || redis_str(redis_item(r, 0))[0] != 'o')
        return WORK_DONE;
    progress = json_value(m->body, m->size);
    response_begin(&body, &(struct response){.class_name = SYNC_CLASS("RunProcessProgress"),
                                             .client = client,
                                             .message_id = *message ? message : NULL});
    text_add(&body, ",\"progress\":");
    text_add_bytes(&body, progress.at, progress.size);
    response_end(&body);
    work_add_out(work, &(struct msg){.queue = redis_str(redis_item(r, 3)),
                                     .type = "again",
                                     .client = client,
                                     .body = body.at,
                                     .size = body.size});
    return work_publish(work, work_done);
}

static enum work_step tell_progress(struct work *work)
{
    const int64_t most = work->agent->proc.settings.sync_max_answer_bytes;
    const struct msg *m = work->request.msg;
    _cleanup_(text_deinitp) struct text problem = {0};

    if (m->oversized || m->size > (size_t)most)
        text_add(&problem, "it is too large");
    if (problem.size || !outcome_is_json(m, &problem)) {
        log_warn("process.progress_dropped", LOG_STR("call", m->correlation_id),
                 LOG_STR("why", problem.at));
        return WORK_DONE;
    }
    redis_call_begin(&work->call, &script_process_progress);
    redis_call_arg(&work->call, m->correlation_id);
    return work_call(work, progress_found);
}

/* ---- processReplied ---- */

/* A worker that has answered twice has said something else, or the same to another delivery. */
static void add_origin(struct text *by, const struct msg *m)
{
    char hash[SECRET_HASH_CHARS + 1];

    secret_hash(m->body, m->size, hash);
    text_addf(by, "%s %s", m->type ? m->type : "reply", hash);
}

enum work_step plan_process_replied(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct msg *m = work->request.msg;
    struct ending *ending;

    if (!m->correlation_id) {
        log_warn("process.answer_dropped", LOG_STR("from", m->app_id),
                 LOG_STR("why", "it has no correlation id"));
        return WORK_DONE;
    }
    if (m->type && strcmp(m->type, "progress") == 0)
        return tell_progress(work);
    ending = ending_of(work, m->correlation_id);
    ending->again = work->request.redelivered;
    add_origin(&ending->by, m);
    outcome_read(&ending->outcome, m, (size_t)settings->sync_max_answer_bytes);
    return ending_begin(work, work_done);
}

/* ---- processFailed ---- */

static const struct failure {
    const char *reason; /* of the broker */
    enum response_code code;
    bool is_letter; /* somebody has to look at it */
    const char *said;
} failures[] = {
    {"expired", CODE_TIMEOUT, false, "no worker has taken it in time"},
    {"delivery_limit", CODE_PROCESS_FAILED, true, "its workers have died of it"},
    {"rejected", CODE_PROCESS_FAILED, true, "its worker has refused it"},
};

static const struct failure *failure_of(const char *reason)
{
    static const struct failure other = {"", CODE_PROCESS_FAILED, true, "it has been given up"};

    for (size_t i = 0; reason && i < ARRAY_SIZE(failures); i++) {
        if (strcmp(failures[i].reason, reason) == 0)
            return &failures[i];
    }
    return &other;
}

static void add_dead_letter(struct work *work, const char *reason)
{
    const struct msg *m = work->request.msg;

    log_warn("process.failed", LOG_STR("process", m->type), LOG_STR("call", m->correlation_id),
             LOG_STR("why", reason));
    work_add_letter(work, m, reason);
}

enum work_step plan_process_failed(struct work *work)
{
    const struct msg *m = work->request.msg;
    const struct failure *failure = failure_of(m->reason);
    struct ending *ending;

    if (failure->is_letter)
        add_dead_letter(work, m->reason);
    ending = ending_of(work, m->correlation_id ? m->correlation_id : "");
    ending->again = work->request.redelivered;
    text_addf(&ending->by, "failed %s", m->reason ? m->reason : "");
    outcome_fail(&ending->outcome, failure->code, failure->said);
    return ending_begin(work, work_done);
}

/* ---- Overdue ---- */

static enum work_step end_overdue(struct work *work)
{
    return ending_begin(work, ending_told);
}

void calls_overdue_start(const struct work *work, const char *call)
{
    struct ending *ending = calloc(1, sizeof(*ending));

    if (!ending)
        err_out_of_memory();
    text_add(&ending->call, call);
    text_add(&ending->by, "overdue");
    ending->again = ending->leased = true;
    outcome_fail(&ending->outcome, CODE_TIMEOUT, "no answer in its time");
    work_spawn(work, end_overdue, ending, destroy);
}
