#include "tests/support/handler.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/children.h"
#include "tests/support/fake_reply.h"
#include "tests/support/unit.h"

struct agent agent;
struct work work;
size_t spawned, begun;
struct text repeated;

/* What was started last. */
static work_fn *beside;
static struct work beside_work;

static void forget_spawned(void)
{
    if (beside_work.state_destroy)
        beside_work.state_destroy(beside_work.state);
    beside_work = (struct work){.agent = &agent};
}

void work_spawn(const struct work *parent, work_fn *first, void *state,
                void (*state_destroy)(void *state))
{
    (void)parent;
    forget_spawned();
    spawned++;
    beside = first;
    beside_work.state = state;
    beside_work.state_destroy = state_destroy;
}

static void forget_state(void)
{
    if (work.state_destroy)
        work.state_destroy(work.state);
    work.state = NULL;
    work.state_destroy = NULL;
}

enum work_step begin_spawned(void)
{
    work_fn *first = beside;

    forget_state();
    work.state = beside_work.state;
    work.state_destroy = beside_work.state_destroy;
    beside_work.state_destroy = NULL;
    return first(&work);
}

void work_again(const struct work *parent, const struct msg *fields, const char *told)
{
    (void)parent;
    text_addf(&repeated, "%s %s %s %s %s ", fields->queue, fields->client, fields->message_id,
              fields->reply_to, told);
    text_add_bytes(&repeated, fields->body, fields->size);
    text_add_char(&repeated, '\n');
}

enum work_step work_begin(struct work *begins)
{
    (void)begins;
    begun++;
    return WORK_DONE;
}

void handler_set_up(const char *model)
{
    struct text problems = {0};

    agent.proc.settings.sync_max_object_bytes = 1000;
    agent.proc.settings.sync_max_answer_bytes = 1 << 20;
    agent.proc.settings.sync_max_scan = 10000;
    agent.proc.settings.sync_results_kept = 1000;
    agent.proc.settings.sync_results_s = 3600;
    agent.proc.settings.sync_tombstone_s = 77;
    agent.proc.settings.sync_history_kept = 50;
    strcpy(agent.name, "sync-agent@test");
    ck_assert_int_eq(model_load(model, &agent.model, &problems), ERR_OK);
    agent.children = children_create(agent.model);
    work = (struct work){.agent = &agent};
    spawned = begun = 0;
}

void forget_answer(void)
{
    for (size_t i = 0; i < work.out_count; i++)
        msg_destroy(work.out[i].msg);
    free(work.out);
    work.out = NULL;
    work.out_count = 0;
}

void handler_tear_down(void)
{
    forget_state();
    forget_spawned();
    forget_answer();
    text_deinit(&repeated);
    redis_call_deinit(&work.call);
    request_deinit(&work.request);
    children_destroy(agent.children);
    model_destroy(agent.model);
}

static enum work_step ask_as(const char *dialect, const char *operation, work_fn *plan,
                             const char *body)
{
    struct text problem = {0};
    struct msg m = {.queue = operation,
                    .reply_to = "gateway.1",
                    .client = "c1",
                    .user = "u1",
                    .message_id = "m1",
                    .dialect = dialect,
                    .correlation_id = "5",
                    .accepted_ms = 1000,
                    .body = body,
                    .size = strlen(body)};

    forget_state();
    request_deinit(&work.request);
    ck_assert_int_eq(
        request_read(&work.request, operation_by_name(operation, strlen(operation)), &m, &problem),
        ERR_OK);
    return plan(&work);
}

enum work_step ask(const char *operation, work_fn *plan, const char *body)
{
    return ask_as("activestack", operation, plan, body);
}

enum work_step ask_content(const char *operation, work_fn *plan, const char *frame)
{
    return ask_as("content", operation, plan, frame);
}

const char *answer(void)
{
    ck_assert_uint_eq(work.out_count, 1);
    ck_assert_str_eq(work.out[0].msg->queue, "gateway.1");
    ck_assert_str_eq(work.out[0].msg->correlation_id, "5");
    return work.out[0].msg->body;
}

const char *answer_to(const char *const *strings)
{
    fake_reply_strings(&work.call, strings);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    return answer();
}

char *all_args(void)
{
    struct text all = {0};
    size_t from = 0;

    for (size_t i = 0; i < work.call.count; i++) {
        text_add_bytes(&all, work.call.args.at + from, work.call.ends[i] - from);
        text_add_char(&all, '|');
        from = work.call.ends[i];
    }
    return text_steal(&all);
}

bool has_arg(const char *arg)
{
    size_t from = 0;

    for (size_t i = 0; i < work.call.count; i++) {
        size_t size = work.call.ends[i] - from;

        if (size == strlen(arg) && !memcmp(work.call.args.at + from, arg, size))
            return true;
        from = work.call.ends[i];
    }
    return false;
}
