#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "tests/support/unit.h"

START_TEST(a_fresh_one_is_due_at_once)
{
    struct backoff b = {0};

    ck_assert_int_eq(backoff_left_ms(&b), 0);
}
END_TEST

START_TEST(the_first_wait_is_short_and_has_jitter)
{
    int64_t least = BACKOFF_FIRST_MS, most = 0;

    for (int i = 0; i < 200; i++) {
        struct backoff b = {0};
        int64_t wait;

        backoff_failed(&b);
        wait = b.due_ms - clock_mono_ms();
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    ck_assert_int_le(most, BACKOFF_FIRST_MS);
    ck_assert_int_lt(least, most);
}
END_TEST

START_TEST(waits_double_up_to_the_longest)
{
    struct backoff b = {0};

    for (int64_t wait = BACKOFF_FIRST_MS; wait < BACKOFF_LONGEST_MS; wait *= 2) {
        backoff_failed(&b);
        ck_assert_int_eq(b.delay_ms, wait);
    }
    for (int i = 0; i < 100; i++) {
        backoff_failed(&b);
        ck_assert_int_eq(b.delay_ms, BACKOFF_LONGEST_MS);
        ck_assert_int_gt(backoff_left_ms(&b), BACKOFF_LONGEST_MS / 2 - BACKOFF_FIRST_MS);
    }
}
END_TEST

START_TEST(only_a_success_that_lasted_makes_waits_short_again)
{
    struct backoff b = {0};

    backoff_failed(&b);
    backoff_failed(&b);
    backoff_succeeded(&b);
    backoff_failed(&b); /* accepted and dropped */
    ck_assert_int_eq(b.delay_ms, INT64_C(4) * BACKOFF_FIRST_MS);
    backoff_succeeded(&b);
    b.started_ms -= BACKOFF_LONGEST_MS; /* long ago */
    backoff_failed(&b);
    ck_assert_int_eq(b.delay_ms, BACKOFF_FIRST_MS);
}
END_TEST

UNIT_SUITE("backoff", a_fresh_one_is_due_at_once, the_first_wait_is_short_and_has_jitter,
           waits_double_up_to_the_longest, only_a_success_that_lasted_makes_waits_short_again)
