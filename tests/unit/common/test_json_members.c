#include <string.h>

#include "common/base/text.h"
#include "common/json/json_members.h"
#include "tests/support/unit.h"

static void add_value(struct text *t, struct json_span value)
{
    if (value.at)
        text_add_bytes(t, value.at, value.size);
    else
        text_add(t, "absent");
}

/* Each change as "name:before>after ". */
static void assert_changes(const char *before, const char *after, const char *expected)
{
    _cleanup_(json_changes_deinit) struct json_changes c;
    _cleanup_(text_deinitp) struct text all = {0};

    json_changes_init(&c, json_span_of(before), json_span_of(after));
    while (json_changes_next(&c)) {
        add_value(&all, c.key);
        text_add_char(&all, ':');
        add_value(&all, c.before);
        text_add_char(&all, '>');
        add_value(&all, c.after);
        text_add_char(&all, ' ');
    }
    assert_text(&all, expected);
}

START_TEST(members_that_differ_are_told_by_name)
{
    assert_changes("{\"b\":1,\"a\":2,\"d\":null}", "{\"c\":3,\"a\":2,\"b\":1.0}",
                   "\"b\":1>1.0 \"c\":absent>3 \"d\":null>absent ");
    assert_changes("{}", "{\"ab\":1,\"a\":2}", "\"a\":absent>2 \"ab\":absent>1 ");
    assert_changes("{\"z\":1}", "{}", "\"z\":1>absent ");
}
END_TEST

START_TEST(the_order_of_members_is_no_change)
{
    assert_changes("{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", "");
    assert_changes("{}", "{}", "");
}
END_TEST

START_TEST(of_several_members_with_a_name_the_last_counts)
{
    _cleanup_(json_members_deinit) struct json_members m;

    json_members_init(&m, json_span_of("{\"a\":1,\"b\":2,\"a\":3,\"a\":4}"));
    ck_assert_uint_eq(m.count, 2);
    ck_assert_mem_eq(m.at[0].value.at, "4", 1);
    assert_changes("{\"a\":1,\"a\":2}", "{\"a\":2}", "");
}
END_TEST

UNIT_SUITE("json_members", members_that_differ_are_told_by_name, the_order_of_members_is_no_change,
           of_several_members_with_a_name_the_last_counts)
