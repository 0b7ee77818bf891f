#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/own.h"
#include "agents/sync/processes/declared.h"
#include "agents/sync/processes/ending.h"
#include "agents/sync/processes/publish.h"
#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/write.h"
#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/secret.h"

/*
 * runProcess (spec 3.8): the call is kept, then published to the queue of its process; when the
 * broker has it, the request is done. What a worker answers comes by answered.c.
 */

#define NAME_SHOWN_MAX 255   /* bytes of a name that a client asks for */
#define GRACE_MS       10000 /* a delegate that nobody ends acts for so long behind the deadline */
#define SHARDED_MS     60000 /* within which the broker has to take what no answer comes for */
#define SHARDED_CLASS  SYNC_CLASS("RunShardedProcess")

/* Begins with the ending that it may need. */
struct run {
    struct ending ending;
    const struct process *process;
    bool is_sharded, wants_progress;
    char *name, *group, *part; /* what the request says; "": nothing */
    char id[SECRET_ID_CHARS + 1];
    struct text delegate; /* client id of a delegate; of a sharded call its own; "" for none */
};

static void run_destroy(void *state)
{
    struct run *run = state;

    ending_deinit(&run->ending);
    text_deinit(&run->delegate);
    free(run->name);
    free(run->group);
    free(run->part);
    free(run);
}

/* ---- Answers at once ---- */

static enum work_step answer(struct work *work, const struct outcome *outcome, const char *process)
{
    _cleanup_(text_deinitp) struct text body = {0};

    outcome_add_response(
        &body, outcome, process,
        &(struct response){.client = work->request.told, .message_id = work->request.message_id});
    return work_reply(work, &body, NULL);
}

static enum work_step refuse(struct work *work, enum response_code code, const char *process,
                             const char *reason)
{
    struct outcome outcome = {0};
    enum work_step step;

    outcome_fail(&outcome, code, reason);
    step = answer(work, &outcome, process);
    outcome_deinit(&outcome);
    return step;
}

/* It has ended before: the same again. */
static enum work_step answer_again(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *body = redis_item(r, 5);
    const char *process = redis_str(redis_item(r, 1));
    struct outcome outcome = {.kind = (enum outcome_kind)redis_str(redis_item(r, 2))[0]};
    enum work_step step;

    if (redis_i64(redis_item(r, 6)) != 1)
        return refuse(work, CODE_PROCESS_FAILED, process,
                      "it has been run, and its result was too large to be kept");
    text_add(&outcome.code, redis_str(redis_item(r, 3)));
    text_add(&outcome.name, redis_str(redis_item(r, 4)));
    text_add_bytes(&outcome.body, redis_str(body), redis_size(body));
    step = answer(work, &outcome, process);
    outcome_deinit(&outcome);
    return step;
}

/* ---- The broker has the call ---- */

/* Nobody answers what a service group is asked. */
static enum work_step end_sharded(struct work *work)
{
    struct run *run = work->state;

    run->ending.outcome.kind = OUTCOME_RESULT;
    text_add(&run->ending.outcome.body, "null");
    text_add(&run->ending.by, "published");
    return ending_begin(work, work_done);
}

/* ---- The call itself ---- */

static struct json_span arguments_of(const struct work *work)
{
    static const struct json_span null = {"null", 4};
    const struct json_span given = json_member(work->request.body, "queryArguments", NULL);

    return json_kind(given) == JSON_ABSENT ? null : given;
}

static void add_member(struct text *out, const struct work *work, const char *name)
{
    const struct json_span given = json_member(work->request.body, name, NULL);

    text_addf(out, ",\"%s\":", name);
    if (json_kind(given) == JSON_ABSENT)
        text_add(out, "null");
    else
        text_add_bytes(out, given.at, given.size);
}

static void add_sharded_body(struct text *out, const struct work *work)
{
    const struct run *run = work->state;
    const struct json_span arguments = arguments_of(work);

    text_add(out, "{\"cn\":\"" SHARDED_CLASS "\",\"originatingClientId\":");
    text_add_json_str(out, work->request.told);
    text_add(out, ",\"clientId\":");
    text_add_json_str(out, text_str(&run->delegate));
    add_member(out, work, "serviceGroupId");
    add_member(out, work, "processId");
    text_add(out, ",\"arguments\":");
    text_add_bytes(out, arguments.at, arguments.size);
    text_add_char(out, '}');
}

/* A key that is the same however often the call comes to a worker, or is asked for. */
static void add_key(struct text *out, const char *session, const struct work *work)
{
    _cleanup_(text_deinitp) struct text seed = {0};
    const struct run *run = work->state;

    text_addf(&seed, "%s ", session);
    if (work->request.message_id)
        write_add_result_name(&seed, &work->request);
    else
        text_add(&seed, text_str(&run->ending.call));
    secret_add_derived_uuid(out, seed.at, seed.size);
}

static enum work_step publish(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const struct run *run = work->state;
    const char *delegate = redis_str(redis_item(r, 4));
    const struct json_span arguments = arguments_of(work);
    _cleanup_(text_deinitp) struct text key = {0}, body = {0};

    add_key(&key, redis_str(redis_item(r, 2)), work);
    if (run->is_sharded)
        add_sharded_body(&body, work);
    else
        text_add_bytes(&body, arguments.at, arguments.size);
    return publish_call(work, run->process,
                        &(struct msg){.message_id = key.at,
                                      .client = *delegate ? delegate : NULL,
                                      .user = redis_str(redis_item(r, 3)),
                                      .device = work->request.device,
                                      .accepted_ms = work->request.accepted_ms,
                                      .body = body.at,
                                      .size = body.size},
                        run->is_sharded ? 0 : redis_i64(redis_item(r, 5)),
                        run->is_sharded ? end_sharded : work_done);
}

/* ---- The call is kept ---- */

static enum work_step begun(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct run *run = work->state;
    const char *word = redis_str(redis_item(r, 0)), *name = run->process->name;
    enum work_step step;

    if (refused(work, "the process could not be run", &step))
        return step;
    if (strcmp(word, "forbidden") == 0)
        return refuse(work, CODE_FORBIDDEN, name, "you may not run it");
    if (strcmp(word, "absent") == 0)
        return refuse(work, CODE_PROCESS_FAILED, name, "no worker serves it now");
    if (strcmp(word, "full") == 0)
        return refuse(work, CODE_TOO_MANY, name, "too many of your calls are under way");
    if (strcmp(word, "ended") == 0)
        return answer_again(work);
    if (strcmp(word, "begin") != 0)
        return WORK_DONE; /* whoever ends it answers */
    fault_point("after-call-begun");
    text_add(&run->ending.call, redis_str(redis_item(r, 1)));
    run->ending.again = work->request.redelivered;
    return publish(work);
}

/* Without a message id it is the delivery that comes again: known by where its answer goes. */
static void add_call_name(struct text *out, const struct request *rq)
{
    if (rq->message_id)
        write_add_result_name(out, rq);
    else if (rq->msg->reply_to && rq->msg->correlation_id)
        text_addf(out, "runProcess::%s:%s", rq->msg->reply_to, rq->msg->correlation_id);
}

static enum work_step begin(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct request *rq = &work->request;
    struct run *run = work->state;
    const int64_t now = clock_wall_ms();
    const int64_t deadline = now + (run->is_sharded ? SHARDED_MS : run->process->deadline_ms);
    _cleanup_(text_deinitp) struct text name = {0};
    struct redis_call *call = &work->call;

    add_call_name(&name, rq);
    secret_random_id(run->id);
    secret_add_uuid(&run->delegate);
    redis_call_begin(call, &script_process_begin);
    redis_call_arg(call, rq->client);
    redis_call_arg_i64(call, rq->accepted_ms);
    redis_call_arg_i64(call, now);
    redis_call_arg(call, run->id);
    redis_call_arg(call, text_str(&name));
    redis_call_arg(call, rq->message_id ? rq->message_id : "");
    redis_call_arg(call, run->process->name);
    redis_call_arg(call, run->process->run);
    redis_call_arg_i64(call, deadline);
    redis_call_arg(call, run->wants_progress ? "1" : "0");
    redis_call_arg(call, rq->told);
    redis_call_arg(call, rq->msg->reply_to ? rq->msg->reply_to : "");
    redis_call_arg(call, rq->msg->correlation_id ? rq->msg->correlation_id : "");
    redis_call_arg(call, run->process->acts ? text_str(&run->delegate) : "");
    redis_call_arg_i64(call, deadline + GRACE_MS);
    redis_call_arg(call, run->is_sharded || work->consumers > 0 ? "1" : "0");
    redis_call_arg(call, rq->redelivered ? "1" : "0");
    redis_call_arg_i64(call, settings->process_max_calls);
    return work_call(work, begun);
}

/* ---- The request ---- */

/* A member that is true or false, or absent. False: *step is the answer. */
static bool read_flag(struct work *work, const char *name, bool *out, enum work_step *step)
{
    const struct json_span given = json_member(work->request.body, name, NULL);
    _cleanup_(text_deinitp) struct text problem = {0};

    *out = json_is_true(given);
    if (json_kind(given) == JSON_ABSENT || json_kind(given) == JSON_BOOLEAN)
        return true;
    text_addf(&problem, "%s: expected a boolean, found %s", name, json_kind_name(json_kind(given)));
    *step = work_error(work, CODE_MALFORMED, problem.at);
    return false;
}

/* A string, or "" for none and null. False: *step is the answer. */
static bool read_name(struct work *work, const char *name, char **out, enum work_step *step)
{
    const struct json_span given = json_member(work->request.body, name, NULL);
    _cleanup_(text_deinitp) struct text problem = {0};

    if (json_kind(given) == JSON_ABSENT || json_kind(given) == JSON_NULL ||
        json_string_is(given, "")) {
        *out = calloc(1, 1);
        if (!*out)
            err_out_of_memory();
        return true;
    }
    if (!request_string(&work->request, name, NAME_SHOWN_MAX, out, &problem))
        return true;
    *step = work_error(work, CODE_MALFORMED, problem.at);
    return false;
}

static bool read_members(struct work *work, enum work_step *step)
{
    struct run *run = work->state;

    return read_flag(work, "shardedProcess", &run->is_sharded, step) &&
           read_flag(work, "progress", &run->wants_progress, step) &&
           read_name(work, "queryName", &run->name, step) &&
           read_name(work, "serviceGroupId", &run->group, step) &&
           read_name(work, "processId", &run->part, step);
}

static enum work_step run_sharded(struct work *work)
{
    struct run *run = work->state;

    run->process = declared_group(declared_of(work->agent), run->group);
    if (!run->process)
        return refuse(work, CODE_PROCESS_FAILED, run->group, "no such service group");
    return begin(work);
}

static enum work_step run_declared(struct work *work)
{
    struct run *run = work->state;

    if (!*run->name)
        return work_error(work, CODE_INVALID_PROCESS, "queryName: expected the name of a process");
    run->process = declared_process(declared_of(work->agent), run->name);
    if (!run->process)
        return refuse(work, CODE_PROCESS_FAILED, run->name, "no such process");
    return work_count_consumers(work, run->process->queue, begin);
}

enum work_step plan_run_process(struct work *work)
{
    struct run *run = calloc(1, sizeof(*run));
    enum work_step step;

    if (!run)
        err_out_of_memory();
    work->state = run;
    work->state_destroy = run_destroy;
    if (!read_members(work, &step))
        return step;
    return run->is_sharded ? run_sharded(work) : run_declared(work);
}
