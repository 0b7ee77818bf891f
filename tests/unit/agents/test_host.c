#include <poll.h>
#include <semaphore.h>
#include <string.h>

#include "agents/sync/host/executor.h"
#include "agents/sync/host/lane.h"
#include "agents/sync/host/tickets.h"
#include "agents/sync/processes/declared.h"
#include "common/base/clock.h"
#include "common/thread/msgq.h"
#include "common/thread/wake.h"
#include "tests/support/unit.h"

#define PATIENCE_MS 20000
#define MOST_BYTES  100

static const struct process process = {
    .name = "HTTP:weather", .queue = "process.HTTP", .deadline_ms = 5000, .threads = 2};

static struct msg delivery(const char *body)
{
    return (struct msg){.queue = "process.HTTP",
                        .type = "http:weather",
                        .message_id = "m",
                        .correlation_id = "c",
                        .reply_to = "processReplied",
                        .body = body,
                        .size = strlen(body)};
}

/* ---- Tasks ---- */

static struct task *new_task(const char *body, uint64_t number)
{
    const struct msg m = delivery(body);

    return task_create(&m, &process, number);
}

START_TEST(a_task_has_the_operation_behind_the_prefix_and_empty_strings_for_nobody)
{
    _cleanup_(task_destroyp) struct task *task = new_task(" [1] ", 7);

    ck_assert_str_eq(task->call.operation, "weather");
    ck_assert_uint_eq(task->call.arguments.size, 3);
    ck_assert_str_eq(task->call.client, "");
    ck_assert_str_eq(task->call.user, "");
    ck_assert_uint_eq(task->number, 7);
    ck_assert_ptr_null(task->refusal);
    ck_assert_ptr_eq(task_of(&task->call), task);
}
END_TEST

START_TEST(a_task_without_arguments_has_null)
{
    _cleanup_(task_destroyp) struct task *task = new_task("", 1);

    ck_assert_uint_eq(task->call.arguments.size, 4);
    ck_assert_mem_eq(task->call.arguments.at, "null", 4);
}
END_TEST

START_TEST(what_is_no_json_or_not_declared_is_refused)
{
    const struct msg m = delivery("1");
    _cleanup_(task_destroyp) struct task *rubbish = new_task("{]", 1);
    _cleanup_(task_destroyp) struct task *unknown = task_create(&m, NULL, 2);

    ck_assert_str_eq(rubbish->refusal, "its arguments are no JSON");
    ck_assert_str_eq(unknown->refusal, "it is not declared");
}
END_TEST

/* How long a call has whose message names a deadline that is `told_ms` away. */
static int64_t left_of(int64_t told_ms)
{
    struct msg m = delivery("1");
    _cleanup_(task_destroyp) struct task *task = NULL;
    const int64_t before = clock_mono_ms();

    m.deadline_ms = told_ms ? clock_wall_ms() + told_ms : 0;
    task = task_create(&m, &process, 1);
    return task->call.deadline_ms - before;
}

START_TEST(no_task_has_longer_than_its_declaration)
{
    ck_assert_int_ge(left_of(0), 5000);
    ck_assert_int_ge(left_of(86400000), 5000);
    ck_assert_int_lt(left_of(86400000), 86400000 - PATIENCE_MS);
    ck_assert_int_lt(left_of(-PATIENCE_MS), 0);
    ck_assert_int_lt(left_of(1), 1 + PATIENCE_MS);
}
END_TEST

static struct msg *reply_to(const struct task *task, bool failed, const char *body)
{
    struct answer answer = {.failed = failed};
    struct msg *reply;

    text_add(&answer.body, body);
    reply = task_reply(task, &answer, MOST_BYTES);
    text_deinit(&answer.body);
    return reply;
}

static void assert_reply(bool failed, const char *body, const char *type, const char *expected)
{
    _cleanup_(task_destroyp) struct task *task = new_task("1", 1);
    _cleanup_(msg_destroyp) struct msg *reply = reply_to(task, failed, body);

    ck_assert_str_eq(reply->type, type);
    ck_assert_str_eq(reply->body, expected);
    ck_assert_str_eq(reply->queue, "processReplied");
    ck_assert_str_eq(reply->correlation_id, "c");
    ck_assert(reply->persistent && reply->mandatory);
}

START_TEST(an_answer_becomes_a_reply_or_an_error)
{
    char longest[MOST_BYTES + 2];

    assert_reply(false, "{\"a\":1}", "reply", "{\"a\":1}");
    assert_reply(false, "", "reply", "null");
    assert_reply(true, "\"quoted\"", "error", "{\"message\":\"\\\"quoted\\\"\"}");
    assert_reply(false, "{]", "error", "{\"message\":\"its answer is no JSON\"}");
    assert_reply(true, "\xff", "error", "{\"message\":\"it failed, and its words are no UTF-8\"}");
    memset(longest, '1', sizeof(longest));
    longest[MOST_BYTES] = '\0';
    assert_reply(false, longest, "reply", longest);
    longest[MOST_BYTES] = '1';
    longest[MOST_BYTES + 1] = '\0';
    assert_reply(false, longest, "error", "{\"message\":\"its answer is too large\"}");
}
END_TEST

START_TEST(a_failure_may_have_a_code_and_a_name_of_its_own)
{
    _cleanup_(task_destroyp) struct task *task = new_task("1", 1);
    _cleanup_(msg_destroyp) struct msg *reply = NULL;
    struct answer answer = {.failed = true, .code = -7, .name = "weather"};

    text_add(&answer.body, "rain");
    reply = task_reply(task, &answer, MOST_BYTES);
    text_deinit(&answer.body);
    ck_assert_str_eq(reply->body, "{\"message\":\"rain\",\"code\":\"-7\",\"name\":\"weather\"}");
}
END_TEST

START_TEST(whoever_wants_no_answer_gets_none)
{
    struct msg m = delivery("1");
    _cleanup_(task_destroyp) struct task *task = NULL;

    m.reply_to = NULL;
    task = task_create(&m, &process, 1);
    ck_assert_ptr_null(reply_to(task, false, "1"));
    ck_assert_ptr_null(task_progress(task, json_span_of("1")));
}
END_TEST

START_TEST(progress_may_get_lost)
{
    _cleanup_(task_destroyp) struct task *task = new_task("1", 1);
    _cleanup_(msg_destroyp) struct msg *m = task_progress(task, json_span_of("{}"));

    ck_assert_str_eq(m->type, "progress");
    ck_assert(!m->persistent && !m->mandatory);
}
END_TEST

/* ---- Tickets ---- */

START_TEST(a_ticket_is_known_again_once_its_delivery_is_void)
{
    const struct msg m = delivery("1");
    struct tickets tickets = {0};
    struct ticket *first = tickets_add(&tickets, &m, 11), *second = tickets_add(&tickets, &m, 12);

    ck_assert_ptr_eq(tickets_by_number(&tickets, first->number), first);
    ck_assert_ptr_null(tickets_by_call(&tickets, &m));
    first->tag = 0;
    ck_assert_ptr_eq(tickets_by_call(&tickets, &m), first);
    tickets_remove(&tickets, first);
    ck_assert_ptr_null(tickets_by_call(&tickets, &m));
    tickets_remove(&tickets, second);
    ck_assert_ptr_null(tickets.first);
}
END_TEST

/* ---- Lanes ---- */

/* A connector whose runs wait until the test lets one end. */
struct gate {
    sem_t begun, may_end;
    struct wake *wake;
    struct msgq *told;
};

static void run_at_gate(void *own, void *thread, const struct call *call, struct answer *answer)
{
    struct gate *gate = own;

    (void)thread;
    sem_post(&gate->begun);
    sem_wait(&gate->may_end);
    text_add_bytes(&answer->body, call->arguments.at, call->arguments.size);
}

static void signal_wake(void *wake)
{
    wake_signal(wake);
}

static void destroy_told(void *told)
{
    told_destroy(told);
}

static void open_gate(struct gate *gate)
{
    sem_init(&gate->begun, 0, 0);
    sem_init(&gate->may_end, 0, 0);
    assert_ok(wake_create(&gate->wake));
    assert_ok(msgq_create(8, destroy_told, signal_wake, gate->wake, &gate->told));
}

static void close_gate(struct gate *gate)
{
    msgq_destroy(gate->told);
    wake_destroy(gate->wake);
}

static struct lane *new_lane(struct gate *gate, unsigned threads, unsigned max_stuck)
{
    static const struct connector connector = {.run = run_at_gate};
    const struct lane_config config = {.queue = "process.test",
                                       .connector = &connector,
                                       .own = gate,
                                       .threads = threads,
                                       .max_stuck = max_stuck,
                                       .told = gate->told,
                                       .most_bytes = MOST_BYTES};
    struct lane *lane = NULL;

    assert_ok(lane_create(&config, &lane));
    return lane;
}

static void put(struct lane *lane, uint64_t number)
{
    struct task *task = new_task("1", number);

    lane_put_take(lane, &task);
    ck_assert_ptr_null(task);
}

/* The number of the next task that is told to have ended. */
static uint64_t next_told(struct gate *gate)
{
    struct pollfd woken = {.fd = wake_fd(gate->wake), .events = POLLIN};
    struct told *told;
    uint64_t number;

    while (!(told = msgq_pop(gate->told))) {
        ck_assert_int_eq(poll(&woken, 1, PATIENCE_MS), 1);
        wake_drain(gate->wake);
    }
    number = told->number;
    ck_assert(told->last);
    told_destroy(told);
    return number;
}

/* Lets one run end, and tells the lane. */
static uint64_t end_one(struct gate *gate, struct lane *lane)
{
    uint64_t number;

    sem_post(&gate->may_end);
    number = next_told(gate);
    ck_assert(lane_answered(lane, number));
    return number;
}

START_TEST(a_lane_runs_as_many_as_it_has_threads_and_the_rest_in_their_order)
{
    static struct gate gate;
    struct lane *lane;

    open_gate(&gate);
    lane = new_lane(&gate, 2, 0);
    for (uint64_t i = 1; i <= 4; i++)
        put(lane, i);
    sem_wait(&gate.begun);
    sem_wait(&gate.begun);
    ck_assert(lane_runs(lane, 1) && lane_runs(lane, 2) && !lane_runs(lane, 3));
    (void)end_one(&gate, lane);
    ck_assert(lane_runs(lane, 3) && !lane_runs(lane, 4));
    for (int i = 0; i < 3; i++)
        (void)end_one(&gate, lane);
    ck_assert(!lane_runs(lane, 4));
    ck_assert(lane_destroy(lane));
    close_gate(&gate);
}
END_TEST

START_TEST(what_waits_can_be_withdrawn_and_what_runs_cannot)
{
    static struct gate gate;
    struct lane *lane;

    open_gate(&gate);
    lane = new_lane(&gate, 1, 0);
    for (uint64_t i = 1; i <= 3; i++)
        put(lane, i);
    ck_assert(!lane_withdraw(lane, 1));
    ck_assert(lane_withdraw(lane, 2));
    ck_assert(!lane_withdraw(lane, 2));
    ck_assert_uint_eq(end_one(&gate, lane), 1);
    ck_assert_uint_eq(end_one(&gate, lane), 3);
    ck_assert(lane_destroy(lane));
    close_gate(&gate);
}
END_TEST

START_TEST(a_thread_that_is_given_up_is_replaced_as_often_as_it_may)
{
    static struct gate gate;
    struct lane *lane;

    open_gate(&gate);
    lane = new_lane(&gate, 1, 1);
    put(lane, 1);
    put(lane, 2);
    sem_wait(&gate.begun);
    lane_give_up(lane, 1);
    ck_assert(!lane_is_used_up(lane));
    ck_assert(!lane_answered(lane, 1));
    sem_wait(&gate.begun); /* the one that waited, in another thread */
    ck_assert(lane_runs(lane, 2));
    lane_give_up(lane, 2);
    ck_assert(lane_is_used_up(lane));
    put(lane, 3);
    ck_assert(!lane_runs(lane, 3));
    ck_assert(!lane_destroy(lane)); /* they are still there, and may use the gate for ever */
}
END_TEST

START_TEST(a_lane_that_may_replace_nothing_is_used_up_at_once)
{
    static struct gate gate;
    struct lane *lane;

    open_gate(&gate);
    lane = new_lane(&gate, 2, 0);
    put(lane, 1);
    put(lane, 2);
    sem_wait(&gate.begun);
    sem_wait(&gate.begun);
    lane_give_up(lane, 1);
    ck_assert(lane_is_used_up(lane));
    ck_assert(lane_runs(lane, 2));
    (void)lane_destroy(lane);
}
END_TEST

/* Gives a thread up, lets it come back, and waits a moment. Does the lane know by then? */
static bool is_known_to_be_back(struct gate *gate)
{
    struct lane *lane = new_lane(gate, 1, 0);

    put(lane, 1);
    sem_wait(&gate->begun);
    lane_give_up(lane, 1);
    sem_post(&gate->may_end);
    (void)poll(NULL, 0, 1);
    return lane_destroy(lane);
}

START_TEST(a_thread_that_comes_back_after_all_uses_nothing_any_more)
{
    const int64_t deadline = clock_mono_ms() + PATIENCE_MS;
    static struct gate gate;

    open_gate(&gate);
    while (!is_known_to_be_back(&gate))
        ck_assert_int_lt(clock_mono_ms(), deadline);
}
END_TEST

START_TEST(what_is_refused_is_answered_without_a_run)
{
    const struct msg m = delivery("1");
    static struct gate gate;
    struct lane *lane;
    struct task *task = task_create(&m, NULL, 5);

    open_gate(&gate);
    lane = new_lane(&gate, 1, 0);
    lane_put_take(lane, &task);
    ck_assert_uint_eq(next_told(&gate), 5);
    ck_assert(lane_answered(lane, 5));
    ck_assert_int_eq(sem_trywait(&gate.begun), -1);
    ck_assert(lane_destroy(lane));
    close_gate(&gate);
}
END_TEST

UNIT_SUITE("host", a_task_has_the_operation_behind_the_prefix_and_empty_strings_for_nobody,
           a_task_without_arguments_has_null, what_is_no_json_or_not_declared_is_refused,
           no_task_has_longer_than_its_declaration, an_answer_becomes_a_reply_or_an_error,
           a_failure_may_have_a_code_and_a_name_of_its_own, whoever_wants_no_answer_gets_none,
           progress_may_get_lost, a_ticket_is_known_again_once_its_delivery_is_void,
           a_lane_runs_as_many_as_it_has_threads_and_the_rest_in_their_order,
           what_waits_can_be_withdrawn_and_what_runs_cannot,
           a_thread_that_is_given_up_is_replaced_as_often_as_it_may,
           a_lane_that_may_replace_nothing_is_used_up_at_once,
           a_thread_that_comes_back_after_all_uses_nothing_any_more,
           what_is_refused_is_answered_without_a_run)
