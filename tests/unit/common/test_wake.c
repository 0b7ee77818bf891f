#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "common/thread/wake.h"
#include "tests/support/unit.h"

static bool is_readable(const struct wake *w, int timeout_ms)
{
    struct pollfd fd = {.fd = wake_fd(w), .events = POLLIN};

    return poll(&fd, 1, timeout_ms) == 1;
}

START_TEST(a_signal_makes_the_descriptor_readable_until_it_is_drained)
{
    _cleanup_(wake_destroyp) struct wake *w = NULL;

    assert_ok(wake_create(&w));
    ck_assert(!is_readable(w, 0));
    wake_signal(w);
    ck_assert(is_readable(w, 0));
    wake_drain(w);
    ck_assert(!is_readable(w, 0));
}
END_TEST

START_TEST(many_signals_are_one_wake_up)
{
    _cleanup_(wake_destroyp) struct wake *w = NULL;

    assert_ok(wake_create(&w));
    for (int i = 0; i < 1000; i++)
        wake_signal(w);
    wake_drain(w);
    ck_assert(!is_readable(w, 0));
}
END_TEST

START_TEST(draining_without_a_signal_does_not_block)
{
    _cleanup_(wake_destroyp) struct wake *w = NULL;

    assert_ok(wake_create(&w));
    wake_drain(w);
    ck_assert(!is_readable(w, 0));
}
END_TEST

static void *signal_it(void *w)
{
    wake_signal(w);
    return NULL;
}

START_TEST(another_thread_ends_the_sleep)
{
    _cleanup_(wake_destroyp) struct wake *w = NULL;
    pthread_t thread;

    assert_ok(wake_create(&w));
    ck_assert_int_eq(pthread_create(&thread, NULL, signal_it, w), 0);
    ck_assert(is_readable(w, 30000));
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(without_descriptors_there_is_no_wake)
{
    struct rlimit before, none = {0};
    struct wake *w = NULL;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none.rlim_max = before.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_err(wake_create(&w), ERR_IO);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_ptr_null(w);
    wake_destroy(NULL);
}
END_TEST

UNIT_SUITE("wake", a_signal_makes_the_descriptor_readable_until_it_is_drained,
           many_signals_are_one_wake_up, draining_without_a_signal_does_not_block,
           another_thread_ends_the_sleep, without_descriptors_there_is_no_wake)
