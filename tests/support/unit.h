#pragma once

#include <stdlib.h>

#include <check.h>

#include "common/base/cleanup.h"

/*
 * unit - the main() of a unit test program, and the few words that its tests share.
 *
 *     UNIT_SUITE("msgq", first_test, second_test)
 *
 * Each test runs in a process of its own; a test that is not listed is unused, which the compiler
 * refuses.
 */

#define UNIT_TIMEOUT_S 180 /* of one test, with room for sanitizers and a busy machine */

#define UNIT_SUITE(name, ...)                            \
    int main(void)                                       \
    {                                                    \
        const TTest *const tests[] = {__VA_ARGS__};      \
                                                         \
        return unit_run(name, tests, ARRAY_SIZE(tests)); \
    }

/* For programs that fill their own test case, with fixtures or loops. Takes it over. */
static inline int unit_run_case(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, UNIT_TIMEOUT_S);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline int unit_run(const char *name, const TTest *const *tests, size_t count)
{
    TCase *tcase = tcase_create(name);

    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    return unit_run_case(name, tcase);
}

/* Of `all` tries at random: fewer where everything is slow, as tests/run tells us. */
static inline unsigned unit_tries(unsigned all)
{
    const char *times_slower = getenv("CK_TIMEOUT_MULTIPLIER");
    const int divisor = times_slower ? atoi(times_slower) : 1;

    return divisor > 1 ? all / (unsigned)divisor : all;
}

#define assert_ok(expression)            ck_assert_int_eq((expression), ERR_OK)
#define assert_err(expression, expected) ck_assert_int_eq((expression), (expected))
#define assert_text(t, expected)         ck_assert_str_eq(text_str(t), (expected))
#define assert_contains(text, part) \
    ck_assert_msg(strstr((text), (part)), "no \"%s\" in \"%s\"", (part), (text))
#define assert_lacks(text, part) \
    ck_assert_msg(!strstr((text), (part)), "\"%s\" in \"%s\"", (part), (text))
