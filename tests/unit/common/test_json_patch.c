#include <string.h>

#include "common/json/json_equal.h"
#include "common/json/json_patch.h"
#include "tests/support/json_patch_oracle.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static const struct json_limits json = {.depth = JSON_DEPTH_MAX, .number_chars = 1000};

static const struct json_patch_limits limits = {
    .operations = 10000, .depth = 32, .size = 1000000, .work = 100000000};

static struct json_span span(const char *text)
{
    ck_assert_msg(!json_check(text, strlen(text), &json, NULL), "%s", text);
    return json_span_of(text);
}

static void assert_result(const char *document, const char *patch, const char *expected)
{
    TEXT out = {0}, problem = {0};
    const enum err e = json_patch_apply(span(document), span(patch), &limits, &out, &problem);

    ck_assert_msg(e == ERR_OK, "%s: %s", patch, text_str(&problem));
    assert_text(&out, expected);
    assert_text(&problem, "");
}

/* The patch fails, with these words, and what stood in the texts stays. */
static void assert_failure(const char *document, const char *patch, enum err expected,
                           const char *words)
{
    TEXT out = {0}, problem = {0};
    enum err e;

    text_add(&out, "as before");
    e = json_patch_apply(span(document), span(patch), &limits, &out, &problem);
    ck_assert_msg(e == expected, "%s: %s", patch, err_text(e));
    assert_text(&problem, words);
    assert_text(&out, "as before");
}

/* ---- The published cases: json-patch-test-suite 1.1.0, under the Apache License 2.0 ---- */

static void run_case(struct json_span test, const char *file, size_t index)
{
    const struct json_span document = json_member(test, "doc", NULL);
    const struct json_span patch = json_member(test, "patch", NULL);
    const struct json_span expected = json_member(test, "expected", NULL);
    const bool fails = json_member(test, "error", NULL).at;
    TEXT out = {0}, problem = {0}, wanted = {0};
    size_t read = 0;
    const enum err e = json_patch_apply(document, patch, &limits, &out, &problem);

    ck_assert_msg(fails == (e != ERR_OK), "%s, case %zu: %s", file, index, text_str(&problem));
    if (!expected.at)
        return;
    json_add_canonical(&wanted, expected);
    ck_assert_msg(json_equal(json_span_text(&out), json_span_text(&wanted), &read),
                  "%s, case %zu: %s", file, index, text_str(&out));
}

/* Also those that the files say to skip, for they hold here. */
static void run_cases(const char *file, size_t least)
{
    TEXT text = {0};
    struct json_walk w;
    size_t count = 0;

    assert_ok(text_add_file(&text, file, 100000));
    assert_ok(json_check(text.at, text.size, &json, NULL));
    for (w = json_walk(json_value(text.at, text.size)); json_next(&w); count++)
        run_case(w.value, file, count);
    ck_assert_uint_ge(count, least);
}

START_TEST(the_published_cases_hold)
{
    run_cases(CASES "/tests.json", 78);
    run_cases(CASES "/spec_tests.json", 17);
}
END_TEST

/* ---- What the cases leave open ---- */

START_TEST(numbers_keep_their_text_and_members_their_order)
{
    assert_result("{\"n\": 9007199254740993, \"m\": 1.10, \"k\": -0}",
                  "[{\"op\":\"replace\",\"path\":\"/m\",\"value\":1e0}]",
                  "{\"n\":9007199254740993,\"m\":1e0,\"k\":-0}");
    assert_result("{\"a\":1,\"b\":2,\"c\":3}",
                  "[{\"op\":\"add\",\"path\":\"/b\",\"value\":9},"
                  "{\"op\":\"add\",\"path\":\"/d\",\"value\":{\"z\":1,\"y\":2}},"
                  "{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/e\"}]",
                  "{\"b\":9,\"c\":3,\"d\":{\"z\":1,\"y\":2},\"e\":1}");
    assert_result("{\"a\":1,\"b\":2}", "{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}",
                  "{\"a\":1,\"b\":2}");
}
END_TEST

START_TEST(one_operation_needs_no_array)
{
    assert_result("{}", "{\"op\":\"add\",\"path\":\"/read\",\"value\":true}", "{\"read\":true}");
    assert_result("{ }", "[]", "{}");
}
END_TEST

START_TEST(names_are_found_however_they_are_written)
{
    assert_result("{\"\\u0061\":1,\"/\":2}",
                  "[{\"\\u006fp\":\"rem\\u006fve\",\"path\":\"\\/\\u0061\"},"
                  "{\"op\":\"test\",\"path\":\"/~1\",\"value\":2}]",
                  "{\"/\":2}");
    assert_result("{}", "{\"op\":\"add\",\"path\":\"/\\u0000\\\"\",\"value\":1}",
                  "{\"\\u0000\\\"\":1}");
    assert_result("{\"\":{\"\":1}}", "{\"op\":\"replace\",\"path\":\"//\",\"value\":2}",
                  "{\"\":{\"\":2}}");
}
END_TEST

START_TEST(later_operations_see_what_earlier_ones_did)
{
    assert_result("{\"list\":[1,2]}",
                  "[{\"op\":\"add\",\"path\":\"/list/-\",\"value\":{\"deep\":[]}},"
                  "{\"op\":\"add\",\"path\":\"/list/2/deep/0\",\"value\":3},"
                  "{\"op\":\"copy\",\"from\":\"/list/2\",\"path\":\"/list/0\"},"
                  "{\"op\":\"add\",\"path\":\"/list/0/deep/-\",\"value\":4},"
                  "{\"op\":\"test\",\"path\":\"/list/3\",\"value\":{\"deep\":[3]}},"
                  "{\"op\":\"move\",\"from\":\"/list/0/deep\",\"path\":\"/deep\"}]",
                  "{\"list\":[{},1,2,{\"deep\":[3]}],\"deep\":[3,4]}");
}
END_TEST

START_TEST(the_whole_document_can_be_replaced_copied_and_tested)
{
    assert_result("{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/b\"}]",
                  "{\"a\":1,\"b\":{\"a\":1}}");
    assert_result("{\"a\":{\"b\":1}}",
                  "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"\"},"
                  "{\"op\":\"test\",\"path\":\"\",\"value\":{\"b\":1.0}}]",
                  "{\"b\":1}");
    assert_result("1", "{\"op\":\"replace\",\"path\":\"\",\"value\":[2]}", "[2]");
}
END_TEST

START_TEST(of_members_with_one_name_the_last_counts)
{
    static const char document[] = "{\"a\":1,\"b\":0,\"a\":2}";

    assert_result(document, "{\"op\":\"test\",\"path\":\"/a\",\"value\":2}", document);
    assert_result(document, "{\"op\":\"remove\",\"path\":\"/a\"}", "{\"b\":0}");
    assert_result(document, "{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/c\"}",
                  "{\"b\":0,\"c\":2}");
    assert_result(document, "{\"op\":\"replace\",\"path\":\"/a\",\"value\":3}",
                  "{\"a\":1,\"b\":0,\"a\":3}");
}
END_TEST

/* ---- Failures ---- */

static const struct {
    const char *patch, *words;
} malformed[] = {
    {"7", "operation 0: an operation is an object"},
    {"[[]]", "operation 0: an operation is an object"},
    {"{}", "operation 0: \"op\" is missing"},
    {"{\"op\":\"test\"}", "operation 0: \"path\" is missing"},
    {"{\"op\":\"Add\",\"path\":\"\",\"value\":1}",
     "operation 0: \"op\" is none of add, copy, move, remove, replace, test"},
    {"{\"op\":7,\"path\":\"\"}",
     "operation 0: \"op\" is none of add, copy, move, remove, replace, test"},
    {"{\"op\":\"remove\",\"path\":7}", "operation 0: \"path\": is no string"},
    {"{\"op\":\"remove\",\"path\":\"a\"}",
     "operation 0: \"path\": a pointer is empty or begins with \"/\""},
    {"{\"op\":\"remove\",\"path\":\"/~2\"}",
     "operation 0: \"path\": \"~\" stands only in \"~0\" and \"~1\""},
    {"{\"op\":\"remove\",\"path\":\"/a~\"}",
     "operation 0: \"path\": \"~\" stands only in \"~0\" and \"~1\""},
    {"{\"op\":\"copy\",\"path\":\"/b\"}", "operation 0, copy \"/b\": \"from\" is missing"},
    {"{\"op\":\"move\",\"path\":\"/b\",\"from\":\"~\"}",
     "operation 0, move \"/b\": \"from\": a pointer is empty or begins with \"/\""},
    {"{\"op\":\"add\",\"path\":\"/b\"}", "operation 0, add \"/b\": \"value\" is missing"},
    {"{\"op\":\"add\",\"path\":\"/b\",\"value\":1,\"value\":1}",
     "operation 0, add \"/b\": \"value\" stands there twice"},
    {"{\"op\":\"add\",\"path\":\"/b\",\"path\":\"/b\",\"value\":1}",
     "operation 0: \"path\" stands there twice"},
    {"[{\"op\":\"add\",\"path\":\"/b\",\"value\":1},null]",
     "operation 1: an operation is an object"},
};

START_TEST(malformed_operations_are_told_apart)
{
    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
        assert_failure("{\"a\":1}", malformed[i].patch, ERR_MALFORMED, malformed[i].words);
}
END_TEST

/* Each to {"a":[1,2,3],"s":"x","o":{"p":{}}}. */
static const struct {
    const char *op, *path, *rest, *why;
} misfits[] = {
    {"remove", "/b", "", "nothing is at \"/b\""},
    {"remove", "/", "", "nothing is at \"/\""},
    {"remove", "", "", "the whole document cannot be removed"},
    {"replace", "/b", ",\"value\":1", "nothing is at \"/b\""},
    {"test", "/b", ",\"value\":null", "nothing is at \"/b\""},
    {"test", "/a/0", ",\"value\":2", "the value is another one"},
    {"add", "/b/c", ",\"value\":1", "nothing is at \"/b\""},
    {"add", "/s/c", ",\"value\":1", "\"/s\" is a string, nothing is inside of it"},
    {"add", "/a/0/c", ",\"value\":1", "\"/a/0\" is a number, nothing is inside of it"},
    {"add", "/a/0/c/d", ",\"value\":1", "\"/a/0\" is a number, nothing is inside of it"},
    {"add", "/a/4", ",\"value\":1", "there are only 3 items in \"/a\""},
    {"add", "/a/99999999999999999999", ",\"value\":1", "there are only 3 items in \"/a\""},
    {"add", "/a/01", ",\"value\":1", "\"/a/01\" has no index of an array at its end"},
    {"add", "/a/-1", ",\"value\":1", "\"/a/-1\" has no index of an array at its end"},
    {"add", "/a/-0", ",\"value\":1", "\"/a/-0\" has no index of an array at its end"},
    {"add", "/a/", ",\"value\":1", "\"/a/\" has no index of an array at its end"},
    {"add", "/a/-/b", ",\"value\":1", "nothing is at \"/a/-\""},
    {"remove", "/a/-", "", "nothing is at \"/a/-\""},
    {"remove", "/a/3", "", "nothing is at \"/a/3\""},
    {"replace", "/a/-", ",\"value\":1", "nothing is at \"/a/-\""},
    {"replace", "/a/3", ",\"value\":1", "nothing is at \"/a/3\""},
    {"test", "/a/-", ",\"value\":1", "nothing is at \"/a/-\""},
    {"copy", "/b", ",\"from\":\"/a/-\"", "nothing is at \"/a/-\""},
    {"copy", "/b", ",\"from\":\"/c\"", "nothing is at \"/c\""},
    {"copy", "/b/c", ",\"from\":\"/a\"", "nothing is at \"/b\""},
    {"move", "/b", ",\"from\":\"/c\"", "nothing is at \"/c\""},
    {"move", "/c", ",\"from\":\"/c\"", "nothing is at \"/c\""},
    {"move", "/o/p", ",\"from\":\"/o\"", "\"/o\" cannot be moved into itself"},
    {"move", "/o/p/q", ",\"from\":\"/o\"", "\"/o\" cannot be moved into itself"},
    {"move", "/b", ",\"from\":\"\"", "\"\" cannot be moved into itself"},
    {"move", "/a/3", ",\"from\":\"/a/0\"", "there are only 2 items in \"/a\""},
};

START_TEST(what_does_not_apply_is_told)
{
    for (size_t i = 0; i < ARRAY_SIZE(misfits); i++) {
        TEXT patch = {0}, words = {0};

        text_addf(&patch, "[{\"op\":\"%s\",\"path\":\"%s\"%s}]", misfits[i].op, misfits[i].path,
                  misfits[i].rest);
        text_addf(&words, "operation 0, %s \"%s\": %s", misfits[i].op, misfits[i].path,
                  misfits[i].why);
        assert_failure("{\"a\":[1,2,3],\"s\":\"x\",\"o\":{\"p\":{}}}", text_str(&patch),
                       ERR_NOT_FOUND, text_str(&words));
    }
}
END_TEST

START_TEST(a_patch_is_applied_whole_or_not_at_all)
{
    assert_failure("{\"a\":[1]}",
                   "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2},{\"op\":\"remove\",\"path\":"
                   "\"/a/0\"},{\"op\":\"test\",\"path\":\"/a/0\",\"value\":1}]",
                   ERR_NOT_FOUND, "operation 2, test \"/a/0\": the value is another one");
}
END_TEST

START_TEST(a_long_path_is_cut_in_the_problem_between_characters)
{
    TEXT patch = {0}, out = {0}, problem = {0};

    text_add(&patch, "{\"op\":\"remove\",\"path\":\"/");
    for (int i = 0; i < 1000; i++)
        text_add(&patch, "\xe2\x82\xac");
    text_add(&patch, "\"}");
    assert_err(json_patch_apply(span("{}"), span(text_str(&patch)), &limits, &out, &problem),
               ERR_NOT_FOUND);
    ck_assert_uint_lt(problem.size, 500);
    assert_contains(text_str(&problem), "\xe2\x82\xac\"...: nothing is at \"/\xe2\x82\xac");
    for (size_t i = 0, size; i < problem.size; i += size) {
        size = text_utf8_size(problem.at + i, problem.size - i);
        ck_assert_uint_gt(size, 0);
    }
}
END_TEST

/* ---- Limits ---- */

static enum err apply(const char *document, const char *patch, struct json_patch_limits most,
                      struct text *problem)
{
    TEXT out = {0};

    text_clear(problem);
    return json_patch_apply(span(document), span(patch), &most, &out, problem);
}

START_TEST(the_number_of_operations_is_limited)
{
    static const char two[] = "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1},"
                              "{\"op\":\"remove\",\"path\":\"/a\"}]";
    struct json_patch_limits most = limits;
    TEXT problem = {0};

    most.operations = 2;
    assert_ok(apply("{}", two, most, &problem));
    most.operations = 1;
    assert_err(apply("{}", two, most, &problem), ERR_RANGE);
    assert_text(&problem, "operation 1: a patch may not have so many operations");
}
END_TEST

START_TEST(the_depth_of_the_result_is_limited)
{
    struct json_patch_limits most = limits;
    TEXT problem = {0};

    most.depth = 3;
    assert_ok(
        apply("{\"a\":{}}", "{\"op\":\"add\",\"path\":\"/a/b\",\"value\":[1]}", most, &problem));
    assert_err(
        apply("{\"a\":{}}", "{\"op\":\"add\",\"path\":\"/a/b\",\"value\":[[]]}", most, &problem),
        ERR_RANGE);
    assert_text(&problem, "operation 0, add \"/a/b\": the document would be nested too deep");
    assert_ok(apply("{\"a\":[0]}", "{\"op\":\"replace\",\"path\":\"/a/0\",\"value\":\"[[[[\"}",
                    most, &problem));
    assert_err(apply("{\"a\":[0]}", "{\"op\":\"replace\",\"path\":\"/a/0\",\"value\":[{}]}", most,
                     &problem),
               ERR_RANGE);
    assert_err(apply("{\"a\":{\"b\":[]},\"c\":[[]]}",
                     "[{\"op\":\"test\",\"path\":\"/c/0\",\"value\":[]},"
                     "{\"op\":\"move\",\"from\":\"/c\",\"path\":\"/a/c\"}]",
                     most, &problem),
               ERR_RANGE);
    assert_err(apply("{\"a\":{\"b\":1}}", "{\"op\":\"copy\",\"from\":\"\",\"path\":\"/a/b\"}", most,
                     &problem),
               ERR_RANGE);
}
END_TEST

START_TEST(the_size_of_the_document_is_limited_where_it_grows)
{
    static const char add[] = "{\"op\":\"add\",\"path\":\"/b\",\"value\":\"xy\"}";
    static const char add_and_remove[] = "[{\"op\":\"add\",\"path\":\"/b\",\"value\":\"xy\"},"
                                         "{\"op\":\"remove\",\"path\":\"/b\"}]";
    static const char shorten[] = "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[]},"
                                  "{\"op\":\"add\",\"path\":\"/a/-\",\"value\":7}]";
    struct json_patch_limits most = limits;
    TEXT problem = {0};

    most.size = strlen("{\"a\":1,\"b\":\"xy\"}");
    assert_ok(apply("{\"a\" : 1}", add, most, &problem));
    most.size--;
    assert_err(apply("{\"a\" : 1}", add, most, &problem), ERR_RANGE);
    assert_text(&problem, "operation 0, add \"/b\": the document would be too long");
    assert_err(apply("{\"a\":1}", add_and_remove, most, &problem), ERR_RANGE);
    assert_ok(apply("{\"a\":[1,2,3,4,5,6,7,8,9]}", shorten, most, &problem));
}
END_TEST

START_TEST(copies_that_double_the_document_end_at_the_limit)
{
    TEXT patch = {0}, out = {0}, problem = {0};

    text_add(&patch, "[{\"op\":\"add\",\"path\":\"/x\",\"value\":[]}");
    for (int i = 0; i < 1000; i++)
        text_add(&patch, ",{\"op\":\"copy\",\"from\":\"\",\"path\":\"/x/-\"}");
    text_add(&patch, "]");
    assert_err(json_patch_apply(span("{\"a\":\"some text\"}"), span(text_str(&patch)), &limits,
                                &out, &problem),
               ERR_RANGE);
    ck_assert_uint_eq(out.size, 0);
    assert_contains(text_str(&problem), "copy \"/x/-\": the document would be");
}
END_TEST

/* Taking a large value apart and writing it again, over and over. */
START_TEST(the_work_of_a_small_patch_is_limited)
{
    struct json_patch_limits most = limits;
    TEXT document = {0}, patch = {0}, out = {0}, problem = {0};

    text_add(&document, "{\"a\":[0");
    for (int i = 1; i < 100000; i++)
        text_add(&document, ",0");
    text_add(&document, "]}");
    text_add(&patch, "[{\"op\":\"copy\",\"from\":\"/a/0\",\"path\":\"/c\"}");
    for (int i = 0; i < 3000; i++)
        text_add(&patch, ",{\"op\":\"test\",\"path\":\"/a/0\",\"value\":0},"
                         "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}");
    text_add(&patch, "]");
    assert_err(
        json_patch_apply(span(text_str(&document)), span(text_str(&patch)), &most, &out, &problem),
        ERR_RANGE);
    assert_contains(text_str(&problem), "the operations before this one were too much work");

    most.work = 0; /* the first operation may always be tried */
    assert_ok(apply("{}", "{\"op\":\"add\",\"path\":\"/a\",\"value\":1}", most, &problem));
}
END_TEST

START_TEST(ten_thousand_operations_are_applied)
{
    TEXT patch = {0}, out = {0}, problem = {0}, front = {0};
    struct json_span list;

    text_add(&patch, "[{\"op\":\"add\",\"path\":\"/list\",\"value\":[]}");
    for (int i = 1; i < 10000; i++)
        text_addf(&patch, ",{\"op\":\"add\",\"path\":\"/list/0\",\"value\":%d}", i);
    text_add(&patch, "]");
    assert_ok(json_patch_apply(span("{}"), span(text_str(&patch)), &limits, &out, &problem));
    list = json_member(json_span_text(&out), "list", NULL);
    ck_assert_uint_eq(json_count(list), 9999);
    text_add_bytes(&front, list.at, 10);
    assert_text(&front, "[9999,9998");
}
END_TEST

/* ---- At random ---- */

static const char *const paths[] = {"",       "/a",    "/a/0",  "/a/-", "/a/1/b", "/b", "/b/c",
                                    "/b/c/d", "/a~1b", "/a/00", "/b/-", "/a/2",   "/"};
static const char *const values[] = {
    "1", "1.0", "\"x\"", "[]", "{}", "[1,{\"b\":2}]", "{\"c\":{\"d\":[null]}}", "[[[[[[]]]]]]"};
static const char *const operations[] = {"add", "remove", "replace", "move", "copy", "test", "add"};

static const char *pick(const char *const *from, size_t count, unsigned *seed)
{
    return from[(unsigned)rand_r(seed) % count];
}

static void add_random_operation(struct text *patch, unsigned *seed)
{
    text_addf(patch, "{\"op\":\"%s\",", pick(operations, ARRAY_SIZE(operations), seed));
    text_addf(patch, "\"path\":\"%s\",", pick(paths, ARRAY_SIZE(paths), seed));
    text_addf(patch, "\"from\":\"%s\",", pick(paths, ARRAY_SIZE(paths), seed));
    text_addf(patch, "\"value\":%s}", pick(values, ARRAY_SIZE(values), seed));
}

START_TEST(random_patches_keep_the_promises)
{
    const unsigned tries = unit_tries(20000);
    unsigned applied = 0;

    for (unsigned seed = 1; seed <= tries; seed++) {
        unsigned state = seed;
        TEXT patch = {0}, out = {0}, problem = {0};
        const char *complaint;

        text_add_char(&patch, '[');
        for (int more = rand_r(&state) % 6; more >= 0; more--) {
            add_random_operation(&patch, &state);
            text_add(&patch, more > 0 ? "," : "]");
        }
        complaint = json_patch_oracle_apply(span("{\"a\":[1,{\"b\":2}],\"b\":{\"c\":{}}}"),
                                            span(text_str(&patch)));
        ck_assert_msg(!complaint, "seed %u: %s: %s", seed, complaint, text_str(&patch));
        applied += json_patch_apply(span("{\"a\":[1,{\"b\":2}],\"b\":{\"c\":{}}}"),
                                    span(text_str(&patch)), &limits, &out, &problem) == ERR_OK;
    }
    ck_assert_uint_gt(applied, tries / 20); /* else the test would be worth little */
}
END_TEST

UNIT_SUITE("json_patch", the_published_cases_hold, numbers_keep_their_text_and_members_their_order,
           one_operation_needs_no_array, names_are_found_however_they_are_written,
           later_operations_see_what_earlier_ones_did,
           the_whole_document_can_be_replaced_copied_and_tested,
           of_members_with_one_name_the_last_counts, malformed_operations_are_told_apart,
           what_does_not_apply_is_told, a_patch_is_applied_whole_or_not_at_all,
           a_long_path_is_cut_in_the_problem_between_characters,
           the_number_of_operations_is_limited, the_depth_of_the_result_is_limited,
           the_size_of_the_document_is_limited_where_it_grows,
           copies_that_double_the_document_end_at_the_limit, the_work_of_a_small_patch_is_limited,
           ten_thousand_operations_are_applied, random_patches_keep_the_promises)
