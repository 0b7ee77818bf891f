#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/host/executor.h"
#include "agents/sync/host/plugin_private.h"
#include "common/amqp/asker.h"
#include "common/base/clock.h"
#include "common/protocol/operations.h"
#include "common/protocol/response.h"

/* A thread that runs calls of a plug-in, and what it needs for the present one. The plug-in knows
 * of `shown` alone. */
struct plugin_thread {
    const struct plugin *plugin;
    struct activestack_call shown;
    const struct task *task;
    struct answer *answer;
    struct text arguments, response;
    struct asker *asker; /* NULL until somebody asks */
    uint64_t questions;  /* of this call */
};

static struct plugin_thread *thread_of(const struct activestack_call *call)
{
    return call->agent;
}

/* ---- ask ---- */

static const char *refuse(struct plugin_thread *t, enum response_code code, const char *why)
{
    text_clear(&t->response);
    response_error(&t->response, t->task->call.client, NULL, code, why);
    return text_str(&t->response);
}

/* One that clients have, that belongs to the store, and that has an answer. NULL: none. */
static const struct operation *operation_of(const char *name)
{
    const struct operation *o = operation_by_name(name, strlen(name));

    if (o && o->served_by_name)
        o = operation_by_name(o->served_by_name, strlen(o->served_by_name));
    return o && o->origin == ORIGIN_CLIENT && o->agent == AGENT_SYNC && o->needs_login &&
                   !o->is_receipt && o->response_class
               ? o
               : NULL;
}

/* {"cn":...} and the members. False: they are no object. */
static bool add_request(struct text *out, const struct operation *o, const char *members)
{
    static const struct json_limits limits = {.depth = JSON_DEPTH_MAX, .number_chars = SIZE_MAX};
    const size_t size = strlen(members);
    struct json_span object;

    if (json_check(members, size, &limits, NULL))
        return false;
    object = json_value(members, size);
    if (json_kind(object) != JSON_OBJECT)
        return false;
    text_addf(out, "{\"cn\":\"%s\"%s", o->request_class, json_count(object) ? "," : "");
    text_add_bytes(out, object.at + 1, object.size - 1);
    return true;
}

static bool has_asker(struct plugin_thread *t)
{
    const struct agent *agent = t->plugin->agent;
    const struct asker_config config = {
        .url = agent->proc.settings.amqp_url,
        .tls = settings_amqp_tls(&agent->proc.settings),
        .name = agent->name,
        .kind = "plugin",
        .heartbeat_s = (uint16_t)agent->proc.settings.amqp_heartbeat_s,
    };

    return t->asker || !asker_create(&config, &t->asker);
}

static const char *converse(struct plugin_thread *t, const struct msg *question)
{
    const int64_t left = t->task->call.deadline_ms - clock_mono_ms();

    if (!has_asker(t))
        return refuse(t, CODE_BACK_END_AWAY, "the broker cannot be reached");
    switch (asker_ask(t->asker, question, left, &t->response)) {
    case ASKED_ANSWERED:
        return text_str(&t->response);
    case ASKED_SILENT:
        return refuse(t, CODE_TIMEOUT, "not answered before the deadline of the process");
    case ASKED_REFUSED:
        return refuse(t, CODE_TOO_MANY, "too many requests wait");
    case ASKED_TOO_LARGE:
        return refuse(t, CODE_MALFORMED, "the request is too large");
    default:
        return refuse(t, CODE_BACK_END_AWAY, "the request could not be sent");
    }
}

/* The questions of a call are counted: asked again by a call that runs again, each has the same
 * message id, and its effects are there already. */
static const char *ask(const struct activestack_call *call, const char *operation,
                       const char *members)
{
    struct plugin_thread *t = thread_of(call);
    const struct operation *o = operation_of(operation);
    _cleanup_(text_deinitp) struct text id = {0}, request = {0};
    struct msg question = {
        .client = t->task->call.client, .user = t->task->call.user, .device = ""};

    if (!*t->task->call.client)
        return refuse(t, CODE_FORBIDDEN, "this process does not act for its caller");
    if (!o)
        return refuse(t, CODE_NOT_IMPLEMENTED, "no operation that a process may ask for");
    if (!add_request(&request, o, members))
        return refuse(t, CODE_MALFORMED, "the request is no JSON object");
    if (executor_is_cancelled(t->task))
        return refuse(t, CODE_TIMEOUT, "the deadline of the process has passed");
    text_addf(&id, "%s.%" PRIu64, call->id, ++t->questions);
    question.queue = o->name;
    question.message_id = text_str(&id);
    question.body = text_str(&request);
    question.size = request.size;
    return converse(t, &question);
}

/* ---- The rest of a call ---- */

static int progress(const struct activestack_call *call, const char *json)
{
    static const struct json_limits limits = {.depth = JSON_DEPTH_MAX, .number_chars = SIZE_MAX};
    const struct plugin_thread *t = thread_of(call);
    const size_t size = strlen(json);
    struct msg *msg;

    if (json_check(json, size, &limits, NULL))
        return 0;
    msg = task_progress(t->task, json_value(json, size));
    if (msg)
        executor_tell(t->task, &msg);
    return 1;
}

static int cancelled(const struct activestack_call *call)
{
    return executor_is_cancelled(thread_of(call)->task);
}

static void fail(const struct activestack_call *call, const char *words)
{
    struct answer *answer = thread_of(call)->answer;

    text_clear(&answer->body);
    text_add(&answer->body, words);
}

/* ---- The connector ---- */

void *plugin_open(void *own)
{
    struct plugin_thread *t = calloc(1, sizeof(*t));

    if (!t)
        err_out_of_memory();
    t->plugin = own;
    return t;
}

void plugin_close(void *thread)
{
    struct plugin_thread *t = thread;

    asker_destroy(t->asker);
    text_deinit(&t->arguments);
    text_deinit(&t->response);
    free(t);
}

static void show(struct plugin_thread *t, const struct call *call, struct answer *answer)
{
    const struct task *task = task_of(call);

    t->task = task;
    t->answer = answer;
    t->questions = 0;
    text_clear(&t->arguments);
    text_add_bytes(&t->arguments, call->arguments.at, call->arguments.size);
    t->shown = (struct activestack_call){
        .process = call->operation,
        .arguments = text_str(&t->arguments),
        .user = call->user,
        .id = call->key,
        .deadline_ms = task->wall_deadline_ms,
        .agent = t,
        .ask = ask,
        .progress = progress,
        .cancelled = cancelled,
        .fail = fail,
    };
}

void plugin_run(void *own, void *thread, const struct call *call, struct answer *answer)
{
    const struct plugin *plugin = own;
    struct plugin_thread *t = thread;
    char *result;

    show(t, call, answer);
    result = plugin->said->run(&t->shown);
    answer->failed = !result || !*result;
    if (result)
        text_clear(&answer->body);
    text_add(&answer->body, result ? result : "");
    free(result);
    if (!answer->body.size)
        text_add(&answer->body, "the plug-in gave no answer");
}
