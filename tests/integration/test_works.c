#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/aside.h"
#include "agents/runtime/metrics.h"
#include "agents/runtime/works.h"
#include "common/base/clock.h"
#include "tests/support/amqp_probe.h"
#include "tests/support/unit.h"

/* Works that ask how many consumers a queue has, and one that goes aside, on a real link to the
 * broker. */

static struct amqp_probe other; /* whose queue is counted */
static const char *queue;
static struct works works;
static size_t questions;
static int64_t heard[16];
static size_t heard_count;

static enum work_step hear(struct work *work)
{
    ck_assert_uint_lt(heard_count, ARRAY_SIZE(heard));
    heard[heard_count++] = work->consumers;
    return WORK_DONE;
}

static enum work_step ask(struct work *work)
{
    return work_count_consumers(work, queue, hear);
}

static pthread_barrier_t met;
static size_t gone_aside, come_back;

static void meet(void *state, void *thread)
{
    (void)state;
    (void)thread;
    pthread_barrier_wait(&met);
}

static enum work_step count_back(struct work *work)
{
    (void)work;
    come_back++;
    return WORK_DONE;
}

static enum work_step go_aside(struct work *work)
{
    gone_aside++;
    return work_aside(work, meet, count_back);
}

static enum work_step answer_and_go_aside(struct work *work)
{
    work_add_out(work, &(struct msg){.queue = queue, .body = "{}", .size = 2});
    return work_publish(work, go_aside);
}

static const struct handler handlers[] = {
    {.operation = "findById", .plan = ask},
    {.operation = "createObject", .plan = answer_and_go_aside},
};
static const struct agent_definition definition = {.handlers = handlers,
                                                   .handler_count = ARRAY_SIZE(handlers)};
static struct agent agent = {.definition = &definition};

static void on_counted(void *arg, const char *counted, int64_t consumers)
{
    questions++;
    works_counted(arg, counted, consumers);
}

static void on_down(void *arg)
{
    works_link_down(arg);
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    works_take(arg, m, tag, redelivered);
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    works_told(arg, number, outcome);
}

static void set_up(void)
{
    struct amqp_link_config config = {
        .url = getenv("AMQP_URL"),
        .connection_name = "test",
        .events = {.down = on_down,
                   .delivery = on_delivery,
                   .outcome = on_outcome,
                   .counted = on_counted},
        .arg = &works,
    };

    agent.metrics = agent_metrics_create(&definition);
    works = (struct works){.agent = &agent};
    works_link_up(&works);
    agent.proc.settings.process_presence_ms = 60000;
    questions = heard_count = 0;
    queue = amqp_probe_name();
    assert_ok(amqp_link_create(&config, &works.amqp));
}

static void tear_down(void)
{
    works_deinit(&works);
    aside_destroy(works.aside);
    metrics_destroy(agent.metrics);
    amqp_link_destroy(works.amqp);
    amqp_probe_close(&other);
}

static void take_of(const char *operation, uint64_t tag)
{
    struct msg m = {.queue = operation, .client = "c1", .body = "{}", .size = 2};

    works_take(&works, &m, tag, false);
}

static void take(uint64_t tag)
{
    take_of("findById", tag);
}

static void turn(void)
{
    amqp_link_turn(works.amqp, -1, 10);
    works_take_aside(&works);
    works_flush(&works);
}

#define UNTIL(condition)                                 \
    do {                                                 \
        int64_t until_ms = amqp_probe_deadline();        \
        while (!(condition)) {                           \
            ck_assert_int_lt(clock_mono_ms(), until_ms); \
            turn();                                      \
        }                                                \
    } while (0)

START_TEST(all_who_wait_hear_the_answer_to_one_question)
{
    amqp_probe_open(&other, NULL, queue);
    UNTIL(amqp_link_is_up(works.amqp));
    for (uint64_t tag = 1; tag <= 5; tag++)
        take(tag);
    UNTIL(heard_count == 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(heard[i], 1);
    ck_assert_uint_eq(questions, 1);
    ck_assert_uint_eq(acks_take(&works.acks), 5);
}
END_TEST

START_TEST(an_answer_is_taken_as_true_for_its_time)
{
    UNTIL(amqp_link_is_up(works.amqp));
    take(1);
    UNTIL(heard_count == 1);
    amqp_probe_open(&other, NULL, queue);
    take(2); /* at once, by what is known */
    ck_assert_uint_eq(heard_count, 2);
    ck_assert_int_eq(heard[0], -1);
    ck_assert_int_eq(heard[1], -1);
    ck_assert_uint_eq(questions, 1);
}
END_TEST

START_TEST(without_a_time_every_work_asks_anew)
{
    agent.proc.settings.process_presence_ms = 0;
    UNTIL(amqp_link_is_up(works.amqp));
    take(1);
    UNTIL(heard_count == 1);
    amqp_probe_open(&other, NULL, queue);
    take(2);
    UNTIL(heard_count == 2);
    ck_assert_int_eq(heard[0], -1);
    ck_assert_int_eq(heard[1], 1);
}
END_TEST

START_TEST(what_could_not_be_asked_is_asked_when_the_link_is_there)
{
    amqp_probe_open(&other, NULL, queue);
    take(1);
    works_flush(&works);
    ck_assert(!amqp_link_is_up(works.amqp));
    UNTIL(heard_count == 1);
    ck_assert_int_eq(heard[0], 1);
}
END_TEST

START_TEST(who_waits_is_dropped_with_the_link)
{
    UNTIL(amqp_link_is_up(works.amqp));
    take(1);
    works_flush(&works);
    works_link_down(&works);
    ck_assert_ptr_null(works.all);
    works_link_up(&works);
    UNTIL(questions == 1); /* the answer finds nobody */
    ck_assert_uint_eq(heard_count, 0);
    take(1); /* it is delivered again */
    UNTIL(heard_count == 1);
    ck_assert_int_eq(heard[0], -1);
}
END_TEST

START_TEST(who_has_answered_and_is_aside_goes_on_from_there)
{
    ck_assert_int_eq(pthread_barrier_init(&met, NULL, 2), 0);
    assert_ok(aside_start(&(struct aside_config){.threads = 1}, &works.aside));
    gone_aside = come_back = 0;
    UNTIL(amqp_link_is_up(works.amqp));
    take_of("createObject", 1);
    UNTIL(gone_aside == 1);
    works_link_down(&works);
    ck_assert_uint_eq(works.calls.count, 0); /* it waits in one place */
    ck_assert_ptr_nonnull(works.all);
    works_link_up(&works);
    pthread_barrier_wait(&met);
    UNTIL(come_back == 1);
    ck_assert_ptr_null(works.all);
    pthread_barrier_destroy(&met);
}
END_TEST

static const TTest *const *const tests[] = {
    &all_who_wait_hear_the_answer_to_one_question,
    &an_answer_is_taken_as_true_for_its_time,
    &without_a_time_every_work_asks_anew,
    &what_could_not_be_asked_is_asked_when_the_link_is_there,
    &who_waits_is_dropped_with_the_link,
    &who_has_answered_and_is_aside_goes_on_from_there,
};

int main(void)
{
    TCase *t;

    if (!getenv("AMQP_URL")) {
        puts("skipped: AMQP_URL names no broker");
        return 77;
    }
    t = tcase_create("works");
    tcase_add_checked_fixture(t, set_up, tear_down);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(t, *tests[i]);
    return unit_run_case("works", t);
}
