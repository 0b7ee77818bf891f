#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "agents/runtime/aside.h"
#include "common/thread/wake.h"
#include "tests/support/unit.h"

static atomic_int opened, closed, destroyed;

static void *open_thread(void)
{
    atomic_fetch_add(&opened, 1);
    return &opened;
}

static void close_thread(void *thread)
{
    ck_assert_ptr_eq(thread, &opened);
    atomic_fetch_add(&closed, 1);
}

static void wake(void *arg)
{
    wake_signal(arg);
}

static void destroy_state(void *state)
{
    free(state);
    atomic_fetch_add(&destroyed, 1);
}

static void add_one(void *state, void *thread)
{
    ck_assert_ptr_eq(thread, &opened);
    ++*(int *)state;
}

static pthread_barrier_t met;

/* Ends only when two run at once. */
static void meet(void *state, void *thread)
{
    add_one(state, thread);
    pthread_barrier_wait(&met);
}

static struct aside *started(struct wake *w, unsigned threads)
{
    const struct aside_config config = {
        .threads = threads, .open = open_thread, .close = close_thread, .wake = wake, .arg = w};
    struct aside *aside = NULL;

    atomic_store(&opened, 0);
    atomic_store(&closed, 0);
    atomic_store(&destroyed, 0);
    assert_ok(aside_start(&config, &aside));
    return aside;
}

static void put(struct aside *aside, aside_fn *run)
{
    struct aside_job *job = calloc(1, sizeof(*job));

    *job = (struct aside_job){
        .run = run, .state = calloc(1, sizeof(int)), .state_destroy = destroy_state};
    aside_put_take(aside, &job);
    ck_assert_ptr_null(job);
}

static struct aside_job *wait_for_one(struct aside *aside, struct wake *w)
{
    struct aside_job *job;

    while (!(job = aside_take(aside))) {
        ck_assert_int_eq(poll(&(struct pollfd){wake_fd(w), POLLIN, 0}, 1, 20000), 1);
        wake_drain(w);
    }
    return job;
}

START_TEST(each_job_comes_back_once)
{
    _cleanup_(wake_destroyp) struct wake *w = NULL;
    struct aside *aside;

    assert_ok(wake_create(&w));
    aside = started(w, 3);
    for (int i = 0; i < 100; i++)
        put(aside, add_one);
    for (int i = 0; i < 100; i++) {
        struct aside_job *job = wait_for_one(aside, w);

        ck_assert_int_eq(*(int *)job->state, 1);
        aside_job_destroy(job);
    }
    ck_assert_ptr_null(aside_take(aside));
    aside_destroy(aside);
    ck_assert_int_eq(destroyed, 100);
    ck_assert_int_eq(opened, 3);
    ck_assert_int_eq(closed, 3);
}
END_TEST

START_TEST(as_many_run_at_once_as_there_are_threads)
{
    _cleanup_(wake_destroyp) struct wake *w = NULL;
    struct aside *aside;

    assert_ok(wake_create(&w));
    ck_assert_int_eq(pthread_barrier_init(&met, NULL, 2), 0);
    aside = started(w, 2);
    for (int i = 0; i < 10; i++)
        put(aside, meet);
    for (int i = 0; i < 10; i++)
        aside_job_destroy(wait_for_one(aside, w));
    aside_destroy(aside);
    pthread_barrier_destroy(&met);
}
END_TEST

START_TEST(what_waits_or_is_back_at_the_end_is_destroyed)
{
    _cleanup_(wake_destroyp) struct wake *w = NULL;
    struct aside *aside;

    assert_ok(wake_create(&w));
    aside = started(w, 1);
    for (int i = 0; i < 50; i++)
        put(aside, add_one);
    aside_destroy(aside);
    ck_assert_int_eq(destroyed, 50);
}
END_TEST

UNIT_SUITE("aside", each_job_comes_back_once, as_many_run_at_once_as_there_are_threads,
           what_waits_or_is_back_at_the_end_is_destroyed)
