#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/refused.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/watchers/compute.h"
#include "agents/sync/watchers/process.h"
#include "common/base/clock.h"

/* getChangeWatcher (spec 3.7): the value of a watcher, or of a field, from now on also whenever it
 * changes. */

#define NAME_MAX_BYTES 512

struct change_watcher {
    struct computing computing;       /* first: see compute.h */
    const struct model_class *class_; /* as it was asked for */
    char *id;
    char *name;
    struct model_args args;
    struct json_span params; /* as they were sent; echoed */
};

static void change_watcher_destroy(void *state)
{
    struct change_watcher *asked = state;

    computing_deinit(&asked->computing);
    model_args_deinit(&asked->args);
    free(asked->id);
    free(asked->name);
    free(asked);
}

/* ---- The answer ---- */

static void begin_answer(const struct work *work, struct text *body, const char *value)
{
    const struct change_watcher *asked = work->state;
    struct json_span params = asked->params;

    if (!params.at)
        params = (struct json_span){"null", strlen("null")};
    work_response_begin(work, body, NULL);
    if (asked->computing.watched.class_) {
        watched_add_members(body, &asked->computing.watched, params, value);
    } else {
        text_add(body, ",\"classIdPair\":");
        model_add_pair(body, asked->class_->name, asked->id);
        text_add(body, ",\"fieldName\":");
        text_add_json_str(body, asked->name);
        text_add(body, ",\"params\":");
        text_add_bytes(body, params.at, params.size);
        text_addf(body, ",\"value\":%s", value);
    }
    response_end(body);
}

/* The object is not there. */
static enum work_step answer_none(struct work *work)
{
    _cleanup_(text_deinitp) struct text body = {0};

    begin_answer(work, &body, "null");
    return work_reply(work, &body, NULL);
}

static enum work_step answer(struct work *work, const char *value, int64_t version)
{
    const struct change_watcher *asked = work->state;
    _cleanup_(text_deinitp) struct text body = {0};

    begin_answer(work, &body, value);
    return overtaken_reply(work, &body, text_str(&asked->computing.watched.item), version,
                           asked->computing.asker);
}

static enum work_step left(struct work *work)
{
    return work_error(work, CODE_TOO_EXPENSIVE, "the value is made of too much");
}

static enum work_step leave(struct work *work)
{
    const struct change_watcher *asked = work->state;

    redis_call_begin(&work->call, &script_watch_leave);
    redis_call_arg(&work->call, asked->computing.asker);
    redis_call_arg(&work->call, text_str(&asked->computing.watched.item));
    return work_call(work, left);
}

static enum work_step computed(struct work *work)
{
    const struct change_watcher *asked = work->state;

    switch (asked->computing.outcome) {
    case COMPUTED:
        return answer(work, text_str(&asked->computing.value), asked->computing.version);
    case COMPUTED_TOO_MANY:
        return leave(work);
    case COMPUTED_VANISHED:
        return answer_none(work);
    case COMPUTED_FAILED:
        break;
    }
    return work_error(work, CODE_INTERNAL, "the value could not be computed");
}

/* ---- What the store says ---- */

/* It is answered when the process has said the value, unless it has already. */
static enum work_step asked_process(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the value could not be asked for");
    if (!strcmp(redis_str(redis_item(r, 0)), "ok"))
        return answer(work, redis_str(redis_item(r, 2)), redis_i64(redis_item(r, 1)));
    return WORK_DONE;
}

static enum work_step wait_for_process(struct work *work)
{
    const struct change_watcher *asked = work->state;
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text waiting = {0};

    text_addf(&waiting, "%s\n%s\n%s\n", rq->msg->reply_to ? rq->msg->reply_to : "",
              rq->msg->correlation_id ? rq->msg->correlation_id : "", rq->told);
    text_add_json_str(&waiting, rq->message_id ? rq->message_id : ""); /* it may have lines */
    text_add_char(&waiting, '\n');
    if (asked->params.at)
        text_add_bytes(&waiting, asked->params.at, asked->params.size);
    else
        text_add(&waiting, "null");
    return process_ask(work, waiting.at, asked_process);
}

static enum work_step take_value(struct work *work, const char *outcome)
{
    const struct redis_reply *r = work->call.reply;
    struct change_watcher *asked = work->state;
    struct computing *computing = &asked->computing;

    strncpy(computing->asker, redis_str(redis_item(r, 1)), sizeof(computing->asker) - 1);
    if (!watched_read(&computing->watched, work->agent->model, redis_str(redis_item(r, 2))))
        return work_error(work, CODE_INTERNAL, "the value could not be read");
    if (!strcmp(outcome, "wait"))
        return wait_for_process(work);
    if (!strcmp(outcome, "ok"))
        return answer(work, redis_str(redis_item(r, 4)), redis_i64(redis_item(r, 3)));
    text_add(&computing->run, redis_str(redis_item(r, 3)));
    text_add(&computing->touched, redis_str(redis_item(r, 4)));
    return compute(work, computed);
}

static enum work_step watched(struct work *work)
{
    const char *outcome = redis_str(redis_item(work->call.reply, 0));
    enum work_step step;

    if (refused(work, "the value could not be read", &step))
        return step;
    if (!strcmp(outcome, "missing"))
        return answer_none(work);
    if (!strcmp(outcome, "forbidden"))
        return work_error(work, CODE_FORBIDDEN, "classIdPair: you may not read this object");
    if (!strcmp(outcome, "full"))
        return work_error(work, CODE_TOO_MANY, "this session watches too many values");
    return take_value(work, outcome);
}

/* ---- The request ---- */

/* How it is computed, as watch.lua says it. */
static const char *way_of(const struct model_watcher *watcher)
{
    if (watcher && watcher->value == WATCH_PROCESS)
        return "2";
    if (watcher && watcher->personal)
        return "1";
    return watcher && !watcher->open ? "3" : "0";
}

static void add_classes(struct redis_call *call, const struct change_watcher *asked)
{
    const struct model_class *c = asked->class_;

    redis_call_arg_i64(call, (int64_t)c->concrete_count * 3);
    for (size_t i = 0; i < c->concrete_count; i++) {
        const struct model_watcher *watcher =
            model_watcher(c->concrete[i], asked->name, strlen(asked->name));

        redis_call_arg(call, c->concrete[i]->name);
        rights_add_rule(call, c->concrete[i], ACTION_READ);
        redis_call_arg(call, way_of(watcher));
    }
}

static enum work_step ask(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct change_watcher *asked = work->state;
    const int64_t now = clock_wall_ms();

    redis_call_begin(&work->call, &script_watch);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, work->request.accepted_ms);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + settings->sync_job_lease_ms);
    redis_call_arg_i64(&work->call, settings->sync_max_watchers);
    redis_call_arg(&work->call, model_digest(work->agent->model));
    redis_call_arg(&work->call, asked->id);
    redis_call_arg(&work->call, asked->name);
    redis_call_arg(&work->call, text_str(&asked->args.canonical));
    add_classes(&work->call, asked);
    return work_call(work, watched);
}

/* Both say what is wrong, for the client's eyes. */
static enum response_code read_watcher(const struct work *work, struct change_watcher *asked,
                                       struct text *problem)
{
    const struct model_watcher *watcher =
        model_watcher(asked->class_, asked->name, strlen(asked->name));
    const size_t most = (size_t)work->agent->proc.settings.sync_max_params_bytes;
    _cleanup_(text_deinitp) struct text why = {0};

    asked->params = json_member(work->request.body, "params", NULL);
    if (!watcher)
        text_addf(problem, "fieldName: %s has nothing to watch that is called %s",
                  asked->class_->name, asked->name);
    else if (model_read_args(work->agent->model, &watcher->params, asked->params, &asked->args,
                             &why))
        text_addf(problem, "params%s", text_str(&why));
    else if (asked->args.canonical.size > most)
        text_addf(problem, "params: expected at most %zu bytes", most);
    return CODE_MALFORMED;
}

static enum response_code read_asked(const struct work *work, struct change_watcher *asked,
                                     struct text *problem)
{
    const struct request *rq = &work->request;
    struct json_span pair = json_member(rq->body, "classIdPair", NULL);
    _cleanup_(text_deinitp) struct text why = {0};

    enum err e = model_read_pair(work->agent->model, pair, &asked->class_, &asked->id, &why);

    if (e)
        text_addf(problem, "classIdPair%s", text_str(&why));
    else if (!request_string(rq, "fieldName", NAME_MAX_BYTES, &asked->name, problem))
        return read_watcher(work, asked, problem);
    return e == ERR_NOT_FOUND ? CODE_MISSING_CLASS : CODE_MALFORMED;
}

enum work_step plan_get_change_watcher(struct work *work)
{
    struct change_watcher *asked = calloc(1, sizeof(*asked));
    _cleanup_(text_deinitp) struct text problem = {0};
    enum response_code code;

    if (!asked)
        err_out_of_memory();
    work->state = asked;
    work->state_destroy = change_watcher_destroy;
    code = read_asked(work, asked, &problem);
    return problem.size ? work_error(work, code, problem.at) : ask(work);
}
