#include <string.h>

#include "common/base/text.h"
#include "common/json/json_equal.h"
#include "tests/support/unit.h"

static bool equal(const char *a, const char *b)
{
    _cleanup_(text_deinitp) struct text left = {0}, right = {0};
    size_t read = 0;

    json_add_canonical(&left, json_span_of(a));
    json_add_canonical(&right, json_span_of(b));
    return json_equal(json_span_text(&left), json_span_text(&right), &read);
}

struct pair {
    const char *a, *b;
};

static void assert_pairs(const struct pair *pairs, size_t count, bool expected)
{
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(equal(pairs[i].a, pairs[i].b) == expected, "%s and %s", pairs[i].a,
                      pairs[i].b);
        ck_assert_msg(equal(pairs[i].b, pairs[i].a) == expected, "%s and %s", pairs[i].b,
                      pairs[i].a);
    }
}

START_TEST(numbers_are_equal_if_they_are_numerically)
{
    static const struct pair pairs[] = {
        {"1", "1.0"},
        {"1", "1e0"},
        {"1", "10E-1"},
        {"1", "0.1e+1"},
        {"100", "1e2"},
        {"0", "-0"},
        {"0", "-0.000e-999999999999999999999999"},
        {"-1.50", "-15e-1"},
        {"0.001", "1e-3"},
        {"9007199254740993", "9007199254740993.0"},
        {"123456789012345678901234567890", "12345678901234567890123456789e1"},
        {"1e99999999999999999", "10e99999999999999998"},
        {"1e100000000000000000", "10e99999999999999999"},
        {"1e1000000000000000000", "10e999999999999999999"},
        {"1e-999999999999999999", "10e-1000000000000000000"},
        {"1e-1000000000000000000000", "0.1e-999999999999999999999"},
        {"1e00000000000000000000000001", "10"},
    };

    assert_pairs(pairs, ARRAY_SIZE(pairs), true);
}
END_TEST

START_TEST(numbers_differ_in_their_last_digit)
{
    static const struct pair pairs[] = {
        {"1", "-1"},
        {"1", "10"},
        {"0", "0.1"},
        {"0", "1e-99999999999999999999"},
        {"9007199254740993", "9007199254740992"},
        {"0.1", "0.10000000000000000000000000000000000001"},
        {"1e400", "1e401"},
        {"1e99999999999999999999", "1e99999999999999999998"},
        {"1e99999999999999999999", "1e-99999999999999999999"},
        {"12e5", "1e5"},
        {"105", "15"},
    };

    assert_pairs(pairs, ARRAY_SIZE(pairs), false);
}
END_TEST

START_TEST(strings_are_equal_by_code_points)
{
    static const struct pair same[] = {
        {"\"\\u0061\"", "\"a\""},
        {"\"\\/\"", "\"/\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\\u0000\"", "\"\\u0000\""},
        {"\"\\u000a\"", "\"\\n\""},
    };
    static const struct pair other[] = {
        {"\"a\"", "\"A\""},
        {"\"\\u00e9\"", "\"e\\u0301\""}, /* looks the same, but is not normalised */
        {"\"1\"", "1"},
        {"\"\"", "null"},
        {"\"\\u0000\"", "\"\""},
    };

    assert_pairs(same, ARRAY_SIZE(same), true);
    assert_pairs(other, ARRAY_SIZE(other), false);
}
END_TEST

START_TEST(arrays_are_ordered_and_objects_are_not)
{
    static const struct pair same[] = {
        {"[1, 2.0]", "[1.0,2]"},
        {"{\"a\":1,\"b\":[{\"c\":1,\"d\":2}]}", "{\"b\":[{\"d\":2.0,\"c\":1}],\"a\":1}"},
        {"{\"\\u0061\":1}", "{\"a\":1}"},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"[]", "[ ]"},
    };
    static const struct pair other[] = {
        {"[1,2]", "[2,1]"},
        {"[1]", "[1,1]"},
        {"[]", "{}"},
        {"{\"a\":1}", "{\"b\":1}"},
        {"{\"a\":1}", "{\"a\":2}"},
        {"{\"a\":null}", "{}"},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}"},
        {"true", "false"},
        {"false", "null"},
        {"[[]]", "[]"},
    };

    assert_pairs(same, ARRAY_SIZE(same), true);
    assert_pairs(other, ARRAY_SIZE(other), false);
}
END_TEST

START_TEST(what_was_read_is_counted)
{
    size_t read = 5;

    ck_assert(!json_equal(json_span_of("[1,2]"), json_span_of("\"x\""), &read));
    ck_assert_uint_eq(read, 5); /* the kinds said enough */
    ck_assert(json_equal(json_span_of("[1,2]"), json_span_of("[1,2.0]"), &read));
    ck_assert_uint_eq(read, 5 + 5 + 7 + 2 + 4);
}
END_TEST

UNIT_SUITE("json_equal", numbers_are_equal_if_they_are_numerically,
           numbers_differ_in_their_last_digit, strings_are_equal_by_code_points,
           arrays_are_ordered_and_objects_are_not, what_was_read_is_counted)
