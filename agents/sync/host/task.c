#include "agents/sync/host/task.h"

#include <stdlib.h>
#include <string.h>

#include "agents/sync/processes/declared.h"
#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/protocol/format.h"
#include "common/protocol/response.h"

static const struct json_limits limits = {.depth = JSON_DEPTH_MAX, .number_chars = SIZE_MAX};

static const char *or_empty(const char *str)
{
    return str ? str : "";
}

/* Another machine's clock may be wrong: no call has longer than its declaration says. */
static void set_deadline(struct task *task, const struct process *process)
{
    const int64_t now = clock_wall_ms(), told = task->msg->deadline_ms;
    int64_t left = process->deadline_ms;

    if (told > 0 && told - now < left)
        left = told - now;
    task->wall_deadline_ms = now + left;
    task->call.deadline_ms = clock_mono_ms() + left;
}

static void set_arguments(struct task *task)
{
    const struct msg *m = task->msg;

    if (!m->size)
        task->call.arguments = json_span_of("null");
    else if (!json_check(m->body, m->size, &limits, NULL))
        task->call.arguments = json_value(m->body, m->size);
    else
        task->refusal = "its arguments are no JSON";
}

/* Of a message that somebody else has published there may be none. */
static void set_key(struct task *task)
{
    if (task->msg->message_id)
        text_add(&task->key, task->msg->message_id);
    else
        secret_add_uuid(&task->key);
    task->call.key = text_str(&task->key);
}

struct task *task_create(const struct msg *m, const struct process *process, uint64_t number)
{
    struct task *task = calloc(1, sizeof(*task));
    const char *colon = process ? strchr(process->name, ':') : NULL;

    if (!task || msg_create(m, &task->msg))
        err_out_of_memory();
    task->number = number;
    task->call.client = or_empty(task->msg->client);
    task->call.user = or_empty(task->msg->user);
    set_key(task);
    if (!process) {
        task->refusal = "it is not declared";
        task->call.deadline_ms = clock_mono_ms() + PROCESS_DEADLINE_MAX;
        return task;
    }
    task->call.operation = colon ? colon + 1 : process->name;
    set_deadline(task, process);
    set_arguments(task);
    return task;
}

void task_destroy(struct task *task)
{
    if (!task)
        return;
    text_deinit(&task->key);
    msg_destroy(task->msg);
    free(task);
}

const struct task *task_of(const struct call *call)
{
    return (const struct task *)((const char *)call - offsetof(struct task, call));
}

/* ---- What is told of it ---- */

/* `matters`: it is the answer. */
static struct msg *message(const struct task *task, const char *type, struct json_span body,
                           bool matters)
{
    const struct msg *asked = task->msg;
    struct msg *m = NULL;

    if (!asked->reply_to || !asked->correlation_id)
        return NULL;
    if (msg_create(&(struct msg){.queue = asked->reply_to,
                                 .type = type,
                                 .message_id = asked->message_id,
                                 .correlation_id = asked->correlation_id,
                                 .timestamp_ms = clock_wall_ms(),
                                 .persistent = matters,
                                 .mandatory = matters,
                                 .format = FORMAT_WRITTEN,
                                 .body = body.at,
                                 .size = body.size},
                   &m))
        err_out_of_memory();
    return m;
}

static void set_failure(struct answer *answer, int code, const char *words)
{
    answer->failed = true;
    answer->code = code;
    answer->name = NULL;
    text_clear(&answer->body);
    text_add(&answer->body, words);
}

/* A connector, or a plug-in, may say anything. */
static void check_answer(struct answer *answer, size_t most)
{
    if (answer->body.size > most)
        set_failure(answer, 0, "its answer is too large");
    else if (!answer->failed && !answer->body.size)
        text_add(&answer->body, "null");
    else if (!answer->failed && json_check(answer->body.at, answer->body.size, &limits, NULL))
        set_failure(answer, 0, "its answer is no JSON");
}

static void add_failure(struct text *out, const struct answer *answer)
{
    text_add(out, "{\"message\":");
    text_add_json(out, text_str(&answer->body), answer->body.size);
    if (answer->code)
        text_addf(out, ",\"code\":\"%d\"", answer->code);
    if (answer->name) {
        text_add(out, ",\"name\":");
        text_add_json_str(out, answer->name);
    }
    text_add_char(out, '}');
}

struct msg *task_reply(const struct task *task, struct answer *answer, size_t most)
{
    _cleanup_(text_deinitp) struct text failure = {0};

    check_answer(answer, most);
    if (!answer->failed)
        return message(task, "reply", json_span_text(&answer->body), true);
    add_failure(&failure, answer);
    if (json_check(failure.at, failure.size, &limits, NULL)) {
        set_failure(answer, answer->code, "it failed, and its words are no UTF-8");
        text_clear(&failure);
        add_failure(&failure, answer);
    }
    return message(task, "error", json_span_text(&failure), true);
}

struct msg *task_progress(const struct task *task, struct json_span json)
{
    return message(task, "progress", json, false);
}
