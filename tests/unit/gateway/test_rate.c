#include "gateway/door/rate.h"
#include "tests/support/unit.h"

static const struct rate rate = {.per_s = 10, .burst = 3};

/* How often it may happen now. */
static int take_all(struct bucket *b, const struct rate *r, int64_t now_ms)
{
    int taken = 0;

    while (taken < 1000 && bucket_take(b, r, now_ms))
        taken++;
    return taken;
}

START_TEST(a_burst_may_come_at_once_and_no_more)
{
    struct bucket b = {0};

    ck_assert_int_eq(take_all(&b, &rate, 1000), 3);
    ck_assert_int_eq(take_all(&b, &rate, 1000), 0);
}
END_TEST

START_TEST(after_each_interval_there_is_one_more)
{
    struct bucket b = {0};

    take_all(&b, &rate, 1000);
    ck_assert_int_eq(take_all(&b, &rate, 1099), 0);
    ck_assert_int_eq(take_all(&b, &rate, 1100), 1);
    ck_assert_int_eq(take_all(&b, &rate, 1300), 2);
}
END_TEST

START_TEST(a_pause_saves_no_more_than_a_burst)
{
    struct bucket b = {0};

    take_all(&b, &rate, 1000);
    ck_assert_int_eq(take_all(&b, &rate, 1000000), 3);
}
END_TEST

START_TEST(what_is_refused_costs_nothing)
{
    struct bucket b = {0};

    take_all(&b, &rate, 1000);
    for (int64_t now_ms = 1000; now_ms < 1100; now_ms++)
        ck_assert(!bucket_take(&b, &rate, now_ms));
    ck_assert(bucket_take(&b, &rate, 1100));
}
END_TEST

START_TEST(without_a_rate_there_is_no_end)
{
    const struct rate none = {0, 1};
    struct bucket b = {0};

    ck_assert_int_eq(take_all(&b, &none, 1000), 1000);
}
END_TEST

START_TEST(what_was_spent_at_another_rate_is_not_owed_at_this_one)
{
    const struct rate fast = {.per_s = 10000, .burst = 10000};
    struct bucket b = {0};

    for (int i = 0; i < 10000; i++)
        ck_assert(bucket_take(&b, &fast, 1000));
    ck_assert_int_eq(take_all(&b, &rate, 1000), 0);
    ck_assert_int_eq(take_all(&b, &rate, 1300), 3);
    ck_assert_int_eq(take_all(&b, &fast, 1301), 1000);
}
END_TEST

UNIT_SUITE("gateway_rate", a_burst_may_come_at_once_and_no_more,
           after_each_interval_there_is_one_more, a_pause_saves_no_more_than_a_burst,
           what_is_refused_costs_nothing, without_a_rate_there_is_no_end,
           what_was_spent_at_another_rate_is_not_owed_at_this_one)
