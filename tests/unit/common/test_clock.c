#include <time.h>

#include "common/base/clock.h"
#include "tests/support/unit.h"

START_TEST(monotonic_time_never_goes_back)
{
    int64_t last_us = clock_mono_us();

    for (int i = 0; i < 100000; i++) {
        const int64_t now_us = clock_mono_us();

        ck_assert_int_ge(now_us, last_us);
        last_us = now_us;
    }
}
END_TEST

START_TEST(milliseconds_and_microseconds_tell_the_same_time)
{
    const int64_t before_us = clock_mono_us();
    const int64_t now_ms = clock_mono_ms();
    const int64_t after_us = clock_mono_us();

    ck_assert_int_ge(now_ms, before_us / 1000);
    ck_assert_int_le(now_ms, after_us / 1000);
}
END_TEST

START_TEST(wall_time_counts_from_1970)
{
    const int64_t before_s = time(NULL);
    const int64_t now_ms = clock_wall_ms();

    ck_assert_int_ge(now_ms / 1000, before_s);
    ck_assert_int_le(now_ms / 1000, (int64_t)time(NULL) + 1); /* time() is coarser */
}
END_TEST

UNIT_SUITE("clock", monotonic_time_never_goes_back,
           milliseconds_and_microseconds_tell_the_same_time, wall_time_counts_from_1970)
