#include <stdint.h>
#include <string.h>

#include "common/json/json_diff.h"
#include "tests/support/json_patch_oracle.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static const struct json_limits limits = {.depth = 64, .number_chars = 100};

static struct json_span span(const char *text)
{
    ck_assert_msg(!json_check(text, strlen(text), &limits, NULL), "%s", text);
    return json_span_of(text);
}

/* This is the patch, and it does what it should. */
static void assert_patch(const char *before, const char *after, const char *expected)
{
    TEXT patch = {0};
    const char *complaint = json_patch_oracle_diff(span(before), span(after));

    ck_assert_msg(!complaint, "%s", complaint);
    assert_ok(json_diff(span(before), span(after), SIZE_MAX, &patch));
    assert_text(&patch, expected);
}

START_TEST(nothing_changed_is_an_empty_patch)
{
    assert_patch("{\"a\":1,\"b\":[{}]}", "{\"b\":[ {} ], \"a\":1}", "[]");
    assert_patch("7", "7", "[]");
}
END_TEST

START_TEST(objects_are_compared_member_by_member)
{
    assert_patch("{\"presence\":\"online\",\"old\":1,\"same\":\"a text that need not be sent "
                 "again, so long it is, longer than any other\"}",
                 "{\"presence\":\"offline\",\"same\":\"a text that need not be sent again, so long "
                 "it is, longer than any other\",\"new\":null}",
                 "[{\"op\":\"add\",\"path\":\"/new\",\"value\":null},"
                 "{\"op\":\"remove\",\"path\":\"/old\"},"
                 "{\"op\":\"replace\",\"path\":\"/presence\",\"value\":\"offline\"}]");
    assert_patch(
        "{\"a/b\":{\"~\":1,\"long\":\"a text that need not be sent again, so long it is\"}}",
        "{\"a/b\":{\"~\":2,\"long\":\"a text that need not be sent again, so long it is\"}}",
        "[{\"op\":\"replace\",\"path\":\"/a~1b/~0\",\"value\":2}]");
}
END_TEST

START_TEST(a_number_with_another_text_is_replaced)
{
    assert_patch("{\"a\":1}", "{\"a\":1.0}",
                 "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1.0}]");
}
END_TEST

START_TEST(a_member_is_replaced_whole_if_that_is_shorter)
{
    assert_patch("{\"o\":{\"a\":1,\"b\":2,\"c\":3}}", "{\"o\":{\"d\":4}}",
                 "[{\"op\":\"replace\",\"path\":\"/o\",\"value\":{\"d\":4}}]");
    assert_patch("{\"o\":[1,2,3]}", "{\"o\":{}}",
                 "[{\"op\":\"replace\",\"path\":\"/o\",\"value\":{}}]");
    assert_patch("{\"a\":1}", "[]", "[{\"op\":\"replace\",\"path\":\"\",\"value\":[]}]");
}
END_TEST

/* ---- Pages of summaries ---- */

#define SUMMARY(id, presence)                                                       \
    "{\"key\":{\"type\":\"user\",\"id\":" id "},\"display_name\":\"Somebody of " id \
    "\",\"picture\":\"users/" id "\",\"presence\":\"" presence "\"}"

START_TEST(a_summary_that_changed_is_one_operation)
{
    assert_patch("[" SUMMARY("1", "on") "," SUMMARY("2", "on") "]",
                 "[" SUMMARY("1", "on") "," SUMMARY("2", "off") "]",
                 "[{\"op\":\"replace\",\"path\":\"/1/presence\",\"value\":\"off\"}]");
}
END_TEST

START_TEST(a_summary_that_moved_is_two_operations)
{
    assert_patch("[" SUMMARY("1", "on") "," SUMMARY("2", "on") "," SUMMARY("3", "on") "]",
                 "[" SUMMARY("2", "on") "," SUMMARY("3", "on") "," SUMMARY("1", "on") "]",
                 "[{\"op\":\"remove\",\"path\":\"/0\"},"
                 "{\"op\":\"add\",\"path\":\"/2\",\"value\":" SUMMARY("1", "on") "}]");
}
END_TEST

START_TEST(summaries_come_go_and_change_at_once)
{
    assert_patch("[" SUMMARY("1", "on") "," SUMMARY("2", "on") "," SUMMARY("3", "on") "," SUMMARY(
                     "4", "on") "]",
                 "[" SUMMARY("1", "on") "," SUMMARY("3", "off") "," SUMMARY("9", "on") "," SUMMARY(
                     "4", "on") "]",
                 "[{\"op\":\"remove\",\"path\":\"/1\"},"
                 "{\"op\":\"add\",\"path\":\"/2\",\"value\":" SUMMARY(
                     "9", "on") "},"
                                "{\"op\":\"replace\",\"path\":\"/1/presence\",\"value\":\"off\"}]");
}
END_TEST

/* ---- Other arrays ---- */

START_TEST(items_without_a_key_are_known_by_their_text)
{
    assert_patch("[\"the first one\",\"the second one\",\"the third one\"]",
                 "[\"the first one\",\"the third one\",\"the last one\"]",
                 "[{\"op\":\"remove\",\"path\":\"/1\"},"
                 "{\"op\":\"add\",\"path\":\"/2\",\"value\":\"the last one\"}]");
    assert_patch("[\"a long text that takes some room of its own\",1,2]",
                 "[\"a long text that takes some room of its own\",5,2]",
                 "[{\"op\":\"replace\",\"path\":\"/1\",\"value\":5}]");
}
END_TEST

START_TEST(an_item_that_became_another_is_gone_into)
{
    assert_patch("[{\"name\":\"a name of more than a few letters\",\"n\":1},0]",
                 "[{\"name\":\"a name of more than a few letters\",\"n\":2},0]",
                 "[{\"op\":\"replace\",\"path\":\"/0/n\",\"value\":2}]");
}
END_TEST

START_TEST(equal_items_are_told_apart_by_their_place)
{
    assert_patch("[1,1,1,\"some text that makes it long enough to be worth it\"]",
                 "[1,1,\"some text that makes it long enough to be worth it\"]",
                 "[{\"op\":\"remove\",\"path\":\"/2\"}]");
}
END_TEST

/* ---- The size ---- */

START_TEST(a_patch_that_is_too_long_is_none)
{
    static const char expected[] = "before[{\"op\":\"replace\",\"path\":\"/a\",\"value\":2}]";
    const size_t size = strlen(expected) - strlen("before");
    TEXT out = {0};

    text_add(&out, "before");
    assert_err(json_diff(span("{\"a\":1}"), span("{\"a\":2}"), strlen("{\"a\":2}"), &out),
               ERR_RANGE);
    assert_err(json_diff(span("{\"a\":1}"), span("{\"a\":2}"), size - 1, &out), ERR_RANGE);
    assert_err(json_diff(span("1"), span("1"), 1, &out), ERR_RANGE);
    assert_err(json_diff(span("1"), span("1"), 0, &out), ERR_RANGE);
    assert_text(&out, "before");
    assert_ok(json_diff(span("{\"a\":1}"), span("{\"a\":2}"), size, &out));
    assert_text(&out, expected);
}
END_TEST

START_TEST(a_long_array_costs_what_changed)
{
    TEXT before = {0}, after = {0}, patch = {0};

    for (int i = 0; i < 20000; i++) {
        text_addf(&before, "%c" SUMMARY("%d", "on"), i > 0 ? ',' : '[', i, i, i);
        if (i != 7)
            text_addf(&after, "%c" SUMMARY("%d", "on"), i > 0 ? ',' : '[', i, i, i);
    }
    text_addf(&after, "," SUMMARY("%d", "on") "]", 7, 7, 7);
    text_add(&before, "]");
    assert_ok(json_diff(span(text_str(&before)), span(text_str(&after)), after.size, &patch));
    ck_assert_uint_lt(patch.size, 250);
    ck_assert_uint_eq(json_count(json_span_text(&patch)), 2);
}
END_TEST

/* ---- At random ---- */

static unsigned draw(unsigned below, unsigned *seed)
{
    return (unsigned)rand_r(seed) % below;
}

static void add_random_scalar(struct text *t, unsigned *seed)
{
    static const char *const scalars[] = {"0",    "-0",   "1",     "1.0", "1e0",           "true",
                                          "null", "\"\"", "\"a\"", "10",  "\"~/\\u0000\"", "1.00"};

    text_add(t, scalars[draw(ARRAY_SIZE(scalars), seed)]);
}

static void add_random_key(struct text *t, unsigned *seed)
{
    static const char *const keys[] = {"\"a\"", "\"b\"",   "\"\"", "\"~\"",
                                       "\"/\"", "\"key\"", "\"0\""};

    text_add(t, keys[draw(ARRAY_SIZE(keys), seed)]);
    text_add_char(t, ':');
}

static void add_random(struct text *t, unsigned depth, unsigned *seed)
{
    const unsigned kind = draw(depth > 0 ? 4 : 1, seed);
    const bool is_object = kind > 1;

    if (kind == 0) {
        add_random_scalar(t, seed);
        return;
    }
    text_add_char(t, is_object ? '{' : '[');
    for (unsigned i = draw(6, seed); i > 0; i--) {
        if (is_object)
            add_random_key(t, seed);
        add_random(t, depth - 1, seed);
        if (i > 1)
            text_add_char(t, ',');
    }
    text_add_char(t, is_object ? '}' : ']');
}

START_TEST(any_value_becomes_any_other)
{
    for (unsigned seed = 1; seed <= unit_tries(20000); seed++) {
        unsigned state = seed;
        TEXT before = {0}, after = {0};
        const char *complaint;

        add_random(&before, 4, &state);
        add_random(&after, 4, &state);
        complaint = json_patch_oracle_diff(span(text_str(&before)), span(text_str(&after)));
        ck_assert_msg(!complaint, "seed %u: %s: %s to %s", seed, complaint, text_str(&before),
                      text_str(&after));
    }
}
END_TEST

/* A page of up to `count` summaries in any order, a few of their fields at random. */
static void add_random_page(struct text *t, unsigned count, unsigned *seed)
{
    unsigned ids[20] = {0};

    for (unsigned i = 0; i < count; i++) {
        const unsigned other = draw(i + 1, seed);

        ids[i] = ids[other];
        ids[other] = i;
    }
    text_add_char(t, '[');
    for (unsigned i = draw(count + 1, seed); i > 0; i--)
        text_addf(
            t, "{\"key\":{\"type\":\"user\",\"id\":%u},\"text\":\"a text that stays\",\"n\":%u}%s",
            ids[i - 1], draw(3, seed), i > 1 ? "," : "");
    text_add_char(t, ']');
}

START_TEST(any_page_becomes_any_other)
{
    for (unsigned seed = 1; seed <= unit_tries(5000); seed++) {
        unsigned state = seed;
        TEXT before = {0}, after = {0};
        const char *complaint;

        add_random_page(&before, 20, &state);
        add_random_page(&after, 20, &state);
        complaint = json_patch_oracle_diff(span(text_str(&before)), span(text_str(&after)));
        ck_assert_msg(!complaint, "seed %u: %s: %s to %s", seed, complaint, text_str(&before),
                      text_str(&after));
    }
}
END_TEST

UNIT_SUITE("json_diff", nothing_changed_is_an_empty_patch, objects_are_compared_member_by_member,
           a_number_with_another_text_is_replaced, a_member_is_replaced_whole_if_that_is_shorter,
           a_summary_that_changed_is_one_operation, a_summary_that_moved_is_two_operations,
           summaries_come_go_and_change_at_once, items_without_a_key_are_known_by_their_text,
           an_item_that_became_another_is_gone_into, equal_items_are_told_apart_by_their_place,
           a_patch_that_is_too_long_is_none, a_long_array_costs_what_changed,
           any_value_becomes_any_other, any_page_becomes_any_other)
