#include <signal.h>
#include <string.h>

#include "common/base/err.h"
#include "tests/support/unit.h"

START_TEST(every_code_has_a_text_of_its_own)
{
    for (int a = 0; a < ERR_COUNT; a++) {
        ck_assert_str_ne(err_text((enum err)a), "");
        ck_assert_str_ne(err_text((enum err)a), err_text(ERR_COUNT));
        for (int b = 0; b < a; b++)
            ck_assert_str_ne(err_text((enum err)a), err_text((enum err)b));
    }
}
END_TEST

START_TEST(a_value_that_is_no_code_has_a_text_too)
{
    ck_assert_str_eq(err_text(ERR_COUNT), "unknown error");
    ck_assert_str_eq(err_text((enum err) - 1), "unknown error");
    ck_assert_str_eq(err_text((enum err)12345), "unknown error");
}
END_TEST

START_TEST(only_success_has_no_class)
{
    ck_assert_int_eq(err_class(ERR_OK), ERR_CLASS_NONE);
    for (int e = ERR_OK + 1; e < ERR_COUNT; e++)
        ck_assert_int_ne(err_class((enum err)e), ERR_CLASS_NONE);
}
END_TEST

START_TEST(the_class_says_who_can_do_what)
{
    ck_assert_int_eq(err_class(ERR_MALFORMED), ERR_CLASS_CLIENT);
    ck_assert_int_eq(err_class(ERR_UTF8), ERR_CLASS_CLIENT);
    ck_assert_int_eq(err_class(ERR_AWAY), ERR_CLASS_LATER);
    ck_assert_int_eq(err_class(ERR_FULL), ERR_CLASS_LATER);
    ck_assert_int_eq(err_class(ERR_CONFIG), ERR_CLASS_FATAL);
    ck_assert_int_eq(err_class((enum err) - 1), ERR_CLASS_FATAL);
}
END_TEST

UNIT_SUITE("err", every_code_has_a_text_of_its_own, a_value_that_is_no_code_has_a_text_too,
           only_success_has_no_class, the_class_says_who_can_do_what)
