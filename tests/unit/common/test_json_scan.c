#include <string.h>

#include "common/json/json_scan.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static const struct json_limits limits = {.depth = 64, .number_chars = 1000};

static enum err check(const char *text)
{
    return json_check(text, strlen(text), &limits, NULL);
}

static struct json_span span(const char *text)
{
    ck_assert_msg(check(text) == ERR_OK, "%s", text);
    return json_span_of(text);
}

static void assert_span(struct json_span s, const char *expected)
{
    ck_assert_ptr_nonnull(s.at);
    ck_assert_uint_eq(s.size, strlen(expected));
    ck_assert_mem_eq(s.at, expected, s.size);
}

/* `count` times `part`. */
static void repeat(struct text *t, const char *part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_add(t, part);
}

/* ---- The grammar ---- */

static const char *const good[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "10",
    "1.5",
    "-1.50",
    "1e3",
    "1E+3",
    "1.0e-3",
    "0.1",
    "0e0",
    "123456789012345678901234567890",
    "1e999999",
    "\"\"",
    "\"a\"",
    "\"\\\"\"",
    "\"\\\\\"",
    "\"\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0000\\u00fF\"",
    "\"\\ud83d\\ude00\"",
    "\"\\uDBFF\\uDFFF\"",
    "\"\x7f\"",
    "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"",
    "[]",
    "[ ]",
    "[1]",
    "[1,2]",
    "[[],[[]],{}]",
    "{}",
    "{ }",
    "{\"\":0}",
    "{\"a\":1,\"a\":2}",
    " \t\r\n[ 1 , { \"a\" : null } ] \t\r\n",
    "[\"\\\\\",\"]\"]",
    "{\"a\":{\"b\":[{\"c\":[]}]}}",
};

static const struct {
    const char *text;
    enum err e;
    size_t offset;
    const char *what;
} bad[] = {
    // clang-format off
    {"",                   ERR_MALFORMED, 0, "unexpected end"},
    {"  ",                 ERR_MALFORMED, 2, "unexpected end"},
    {"nul",                ERR_MALFORMED, 3, "unexpected end"},
    {"nulL",               ERR_MALFORMED, 3, "unexpected character"},
    {"TRUE",               ERR_MALFORMED, 0, "unexpected character"},
    {"truex",              ERR_MALFORMED, 4, "text behind the value"},
    {"NaN",                ERR_MALFORMED, 0, "unexpected character"},
    {"Infinity",           ERR_MALFORMED, 0, "unexpected character"},
    {"-Infinity",          ERR_MALFORMED, 1, "unexpected character"},
    {"-",                  ERR_MALFORMED, 1, "unexpected end"},
    {"+1",                 ERR_MALFORMED, 0, "unexpected character"},
    {".5",                 ERR_MALFORMED, 0, "unexpected character"},
    {"1.",                 ERR_MALFORMED, 2, "unexpected end"},
    {"[1.]",               ERR_MALFORMED, 3, "unexpected character"},
    {"1e",                 ERR_MALFORMED, 2, "unexpected end"},
    {"1e+",                ERR_MALFORMED, 3, "unexpected end"},
    {"01",                 ERR_MALFORMED, 1, "text behind the value"},
    {"-01",                ERR_MALFORMED, 2, "text behind the value"},
    {"0x10",               ERR_MALFORMED, 1, "text behind the value"},
    {"1 2",                ERR_MALFORMED, 2, "text behind the value"},
    {"\"",                 ERR_MALFORMED, 1, "unexpected end"},
    {"\"abc",              ERR_MALFORMED, 4, "unexpected end"},
    {"\"abc\\",            ERR_MALFORMED, 4, "unexpected end"},
    {"\"abc\\\"",          ERR_MALFORMED, 6, "unexpected end"},
    {"\"\\x\"",            ERR_MALFORMED, 1, "bad escape"},
    {"\"\\u12\"",          ERR_MALFORMED, 1, "bad escape"},
    {"\"\\u123g\"",        ERR_MALFORMED, 1, "bad escape"},
    {"\"a\nb\"",           ERR_MALFORMED, 2, "control character in a string"},
    {"\"0123456789\x1f\"", ERR_MALFORMED, 11, "control character in a string"},
    {"'a'",                ERR_MALFORMED, 0, "unexpected character"},
    {"[",                  ERR_MALFORMED, 1, "unexpected end"},
    {"]",                  ERR_MALFORMED, 0, "unexpected character"},
    {"[1",                 ERR_MALFORMED, 2, "unexpected end"},
    {"[1,",                ERR_MALFORMED, 3, "unexpected end"},
    {"[1,]",               ERR_MALFORMED, 3, "unexpected character"},
    {"[,1]",               ERR_MALFORMED, 1, "unexpected character"},
    {"[1 2]",              ERR_MALFORMED, 3, "unexpected character"},
    {"[1}",                ERR_MALFORMED, 2, "unexpected character"},
    {"[}",                 ERR_MALFORMED, 1, "unexpected character"},
    {"{",                  ERR_MALFORMED, 1, "unexpected end"},
    {"{]",                 ERR_MALFORMED, 1, "unexpected character"},
    {"{\"a\"}",            ERR_MALFORMED, 4, "unexpected character"},
    {"{\"a\" 1}",          ERR_MALFORMED, 5, "unexpected character"},
    {"{\"a\":}",           ERR_MALFORMED, 5, "unexpected character"},
    {"{\"a\":1",           ERR_MALFORMED, 6, "unexpected end"},
    {"{\"a\":1,}",         ERR_MALFORMED, 7, "unexpected character"},
    {"{a:1}",              ERR_MALFORMED, 1, "unexpected character"},
    {"{1:1}",              ERR_MALFORMED, 1, "unexpected character"},
    {"{\"a\":[1}",         ERR_MALFORMED, 7, "unexpected character"},
    {"{\"a\":[1]]",        ERR_MALFORMED, 8, "unexpected character"},
    {"[[1]",               ERR_MALFORMED, 4, "unexpected end"},
    {"{}{}",               ERR_MALFORMED, 2, "text behind the value"},
    {"{} x",               ERR_MALFORMED, 3, "text behind the value"},
    {"// c\n1",            ERR_MALFORMED, 0, "unexpected character"},
    {"1 /* c */",          ERR_MALFORMED, 2, "text behind the value"},
    {"\xef\xbb\xbf" "1",   ERR_MALFORMED, 0, "unexpected character"},
    {"\xa0" "1",           ERR_MALFORMED, 0, "unexpected character"},
    {"\"\xff\"",           ERR_UTF8,      1, "not UTF-8"},
    {"\"ab\x80\"",         ERR_UTF8,      3, "not UTF-8"},
    {"\"\xc3\"",           ERR_UTF8,      1, "not UTF-8"},
    {"\"\xc0\x80\"",       ERR_UTF8,      1, "not UTF-8"},
    {"\"\xed\xa0\x80\"",   ERR_UTF8,      1, "not UTF-8"},
    {"\"\xf4\x90\x80\x80\"", ERR_UTF8,    1, "not UTF-8"},
    {"{\"\xff\":1}",       ERR_UTF8,      2, "not UTF-8"},
    {"\"\\ud800\"",        ERR_UTF8,      1, "lone surrogate"},
    {"\"\\udc00\"",        ERR_UTF8,      1, "lone surrogate"},
    {"\"\\ud83dx\"",       ERR_UTF8,      1, "lone surrogate"},
    {"\"\\ud83d\\n\"",     ERR_UTF8,      1, "lone surrogate"},
    {"\"\\ud83d\\ud83d\"", ERR_UTF8,      1, "lone surrogate"},
    {"\"\\ud83d\\u0041\"", ERR_UTF8,      1, "lone surrogate"},
    {"{\"\\udfff\":1}",    ERR_UTF8,      2, "lone surrogate"},
    // clang-format on
};

START_TEST(what_the_grammar_allows_is_accepted)
{
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(check(good[i]) == ERR_OK, "%s", good[i]);
}
END_TEST

START_TEST(everything_else_is_refused_with_its_reason_and_place)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct json_fault fault = {0};
        const enum err e = json_check(bad[i].text, strlen(bad[i].text), &limits, &fault);

        ck_assert_msg(e == bad[i].e && fault.offset == bad[i].offset &&
                          strcmp(fault.what, bad[i].what) == 0,
                      "%s: %s at %zu: %s", bad[i].text, err_text(e), fault.offset, fault.what);
    }
}
END_TEST

START_TEST(a_nul_is_a_character_like_any_other)
{
    assert_err(json_check("1\0", 2, &limits, NULL), ERR_MALFORMED);
    assert_err(json_check("\"\0\"", 3, &limits, NULL), ERR_MALFORMED);
}
END_TEST

START_TEST(a_text_cut_anywhere_is_refused)
{
    static const char text[] = "{\"a\":[1.5e3,true,null,\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"],"
                               "\"b\":{\"c\":-0,\"d\":\"0123456789abcdef\"}}";

    assert_ok(check(text));
    for (size_t size = 0; size < strlen(text); size++) {
        char *exact = malloc(size + 1); /* so that a sanitizer sees a read beyond it */

        memcpy(exact + 1, text, size);
        ck_assert_msg(json_check(exact + 1, size, &limits, NULL) != ERR_OK, "%zu bytes", size);
        free(exact);
    }
}
END_TEST

/* The word at a time must see every byte, wherever it stands. */
START_TEST(a_special_byte_is_seen_at_every_place)
{
    static const char specials[] = {'\x00', '\x01', '\x1f', '"', '\\', '\x80', '\xff'};

    for (size_t special = 0; special < sizeof(specials); special++)
        for (size_t place = 1; place < 40; place++)
            for (int filler = 0x20; filler < 0x80; filler++) {
                char text[42];

                if (filler == '"' || filler == '\\')
                    continue;
                memset(text, filler, sizeof(text));
                text[0] = text[41] = '"';
                assert_ok(json_check(text, sizeof(text), &limits, NULL));
                text[place] = specials[special];
                if (strchr("/bfnrt", filler) && specials[special] == '\\')
                    continue; /* together they are an escape */
                ck_assert_msg(json_check(text, sizeof(text), &limits, NULL) != ERR_OK,
                              "%02x at %zu among %02x", (unsigned)(unsigned char)specials[special],
                              place, (unsigned)filler);
            }
}
END_TEST

/* ---- Limits ---- */

START_TEST(nesting_is_allowed_up_to_the_limit)
{
    TEXT t = {0};

    repeat(&t, "[", 64);
    repeat(&t, "]", 64);
    assert_ok(check(t.at));
    text_clear(&t);
    repeat(&t, "[{\"a\":", 32);
    text_add(&t, "1");
    repeat(&t, "}]", 32);
    assert_ok(check(t.at));
}
END_TEST

static void check_too_deep(const char *open, size_t levels, size_t depth)
{
    const struct json_limits deep = {.depth = depth, .number_chars = 10};
    struct json_fault fault = {0};
    TEXT t = {0};

    repeat(&t, open, levels);
    assert_err(json_check(t.at, t.size, &deep, &fault), ERR_RANGE);
    ck_assert_str_eq(fault.what, "nested too deep");
}

START_TEST(deeper_nesting_is_out_of_range)
{
    check_too_deep("[", 65, 64);
    check_too_deep("{\"a\":", 65, 64);
    check_too_deep("[", 10000, 64);
    check_too_deep("{\"a\":[", 10000, 64);
    check_too_deep("[", 1, 0);
    check_too_deep("[", 100000, SIZE_MAX); /* JSON_DEPTH_MAX holds whatever is asked for */
}
END_TEST

START_TEST(the_greatest_depth_can_be_used)
{
    const struct json_limits deep = {.depth = JSON_DEPTH_MAX, .number_chars = 10};
    TEXT t = {0};

    repeat(&t, "[{\"a\":", JSON_DEPTH_MAX / 2);
    text_add(&t, "1");
    repeat(&t, "}]", JSON_DEPTH_MAX / 2);
    assert_ok(json_check(t.at, t.size, &deep, NULL));
    t.at[t.size - 1] = '}'; /* the outermost bracket is remembered too */
    assert_err(json_check(t.at, t.size, &deep, NULL), ERR_MALFORMED);
}
END_TEST

START_TEST(long_numbers_are_out_of_range)
{
    struct json_fault fault = {0};
    TEXT t = {0};

    text_add(&t, "[1,");
    repeat(&t, "9", 1000);
    text_add(&t, "]");
    assert_ok(check(t.at));

    text_clear(&t);
    text_add(&t, "[1,-");
    repeat(&t, "9", 1000);
    text_add(&t, "]");
    assert_err(json_check(t.at, t.size, &limits, &fault), ERR_RANGE);
    ck_assert_uint_eq(fault.offset, 3);
    ck_assert_str_eq(fault.what, "number too long");

    text_clear(&t);
    repeat(&t, "1", 1000000);
    assert_err(check(t.at), ERR_RANGE);
    text_clear(&t);
    text_add(&t, "0.");
    repeat(&t, "1", 1000000);
    assert_err(check(t.at), ERR_RANGE);
    text_clear(&t);
    text_add(&t, "1e");
    repeat(&t, "1", 1000000);
    assert_err(check(t.at), ERR_RANGE);
}
END_TEST

START_TEST(long_texts_are_no_problem)
{
    TEXT t = {0};

    text_add(&t, "[\"");
    repeat(&t, "0123456789\\u0041\xc3\xbc", 100000);
    text_add(&t, "\"");
    repeat(&t, ",{\"a\":[1,2,3]}", 100000);
    text_add(&t, "]");
    assert_ok(check(t.at));
    ck_assert_uint_eq(json_count(json_span_of(t.at)), 100001);
}
END_TEST

/* ---- Walking ---- */

START_TEST(the_value_stands_without_the_space_around_it)
{
    assert_span(span(" \n{ \"a\" : 1 } \t"), "{ \"a\" : 1 }");
    assert_span(span(" 12 "), "12");
    assert_span(span("12"), "12");
    assert_span(span(" \"a\\\" \" "), "\"a\\\" \"");
    assert_span(span("[\"]\",\"\\\\\"]"), "[\"]\",\"\\\\\"]");
    ck_assert_ptr_null(json_value("  ", 2).at);
}
END_TEST

START_TEST(every_kind_is_told_apart)
{
    static const struct {
        const char *text;
        enum json_kind kind;
        const char *name;
    } kinds[] = {
        {"null", JSON_NULL, "null"},        {"true", JSON_BOOLEAN, "boolean"},
        {"false", JSON_BOOLEAN, "boolean"}, {"-1", JSON_NUMBER, "number"},
        {"0.5", JSON_NUMBER, "number"},     {"\"\"", JSON_STRING, "string"},
        {"[]", JSON_ARRAY, "array"},        {"{}", JSON_OBJECT, "object"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        ck_assert_int_eq(json_kind(span(kinds[i].text)), kinds[i].kind);
        ck_assert_str_eq(json_kind_name(kinds[i].kind), kinds[i].name);
    }
    ck_assert_int_eq(json_kind((struct json_span){0}), JSON_ABSENT);
    ck_assert_str_eq(json_kind_name(JSON_ABSENT), "absent");
    ck_assert(json_is_true(span("true")));
    ck_assert(!json_is_true(span("false")));
    ck_assert(!json_is_true(span("\"true\"")));
    ck_assert(!json_is_true((struct json_span){0}));
}
END_TEST

START_TEST(members_are_walked_in_their_order)
{
    struct json_walk w =
        json_walk(span("{ \"a\" : 1 ,\"b\\n\":[{\"x\":\"}\"},2], \"c\":\"d,\\\"\"}"));

    ck_assert(json_next(&w));
    assert_span(w.key, "\"a\"");
    assert_span(w.value, "1");
    ck_assert(json_next(&w));
    assert_span(w.key, "\"b\\n\"");
    assert_span(w.value, "[{\"x\":\"}\"},2]");
    ck_assert(json_next(&w));
    assert_span(w.key, "\"c\"");
    assert_span(w.value, "\"d,\\\"\"");
    ck_assert(!json_next(&w));
    ck_assert(!json_next(&w));
}
END_TEST

START_TEST(items_are_walked_in_their_order)
{
    struct json_walk w = json_walk(span("[ \"a\" , \"b\",-1.5 ,true, null,[],{} ]"));
    static const char *const items[] = {"\"a\"", "\"b\"", "-1.5", "true", "null", "[]", "{}"};

    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        ck_assert(json_next(&w));
        ck_assert_ptr_null(w.key.at);
        assert_span(w.value, items[i]);
    }
    ck_assert(!json_next(&w));
}
END_TEST

START_TEST(other_kinds_have_no_members)
{
    static const char *const texts[] = {"1", "\"{}\"", "null", "true", "[]", "{}", "[ ]", "{ }"};
    struct json_walk none = json_walk((struct json_span){0});

    ck_assert(!json_next(&none));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct json_walk w = json_walk(span(texts[i]));

        ck_assert(!json_next(&w));
        ck_assert_uint_eq(json_count(span(texts[i])), 0);
    }
    ck_assert_uint_eq(json_count(span("[1,[2,3],{\"a\":1,\"b\":2}]")), 3);
    ck_assert_uint_eq(json_count(span("{\"a\":1,\"b\":2}")), 2);
}
END_TEST

START_TEST(a_member_is_found_by_its_name)
{
    const struct json_span object = span("{\"x\":{\"a\":1},\"a\":2,\"ab\":3,\"\":4}");
    size_t count = 99;

    assert_span(json_member(object, "a", &count), "2");
    ck_assert_uint_eq(count, 1);
    assert_span(json_member(object, "", NULL), "4");
    ck_assert_ptr_null(json_member(object, "b", &count).at);
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(json_member(span("[\"a\",1]"), "a", &count).at);
    ck_assert_ptr_null(json_member((struct json_span){0}, "a", &count).at);
}
END_TEST

START_TEST(the_last_of_equal_members_counts_escaped_or_not)
{
    const struct json_span object = span("{\"cn\":1,\"\\u0063n\":2,\"c\\u006E\":3,\"\\u0043n\":4}");
    size_t count;

    assert_span(json_member(object, "cn", &count), "3");
    ck_assert_uint_eq(count, 3);
}
END_TEST

/* ---- Strings ---- */

START_TEST(strings_are_compared_unescaped)
{
    ck_assert(json_string_is(span("\"a/b\""), "a/b"));
    ck_assert(json_string_is(span("\"a\\/b\""), "a/b"));
    ck_assert(json_string_is(span("\"\\u00fc\\n\\\"\""), "\xc3\xbc\n\""));
    ck_assert(json_string_is(span("\"\\ud83d\\ude00\""), "\xf0\x9f\x98\x80"));
    ck_assert(json_string_is(span("\"\""), ""));
    ck_assert(!json_string_is(span("\"a\\\\b\""), "a\\\\b"));
    ck_assert(!json_string_is(span("\"a\""), "ab"));
    ck_assert(!json_string_is(span("\"ab\""), "a"));
    ck_assert(!json_string_is(span("\"a\\u0000\""), "a"));
    ck_assert(!json_string_is(span("1"), "1"));
    ck_assert(!json_string_is((struct json_span){0}, ""));
}
END_TEST

START_TEST(every_escape_is_decoded)
{
    static const char expected[] = "\"\\/\b\f\n\r\tA\0\xc3\xbf\xe2\x82\xac\xf4\x8f\xbf\xbf.";
    TEXT t = {0};

    assert_ok(json_decode(span("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u0000\\u00Ff\\u20ac"
                               "\\uDBFF\\uDFFF.\""),
                          &t));
    ck_assert_uint_eq(t.size, sizeof(expected) - 1);
    ck_assert_mem_eq(t.at, expected, sizeof(expected));
    assert_err(json_decode(span("1"), &t), ERR_TYPE);
    assert_err(json_decode((struct json_span){0}, &t), ERR_TYPE);
}
END_TEST

START_TEST(a_c_string_is_bounded_and_holds_no_nul)
{
    char *string = NULL;

    assert_ok(json_string(span("\"\\u00fcber\""), 5, &string));
    ck_assert_str_eq(string, "\xc3\xbc"
                             "ber");
    free(string);
    assert_ok(json_string(span("\"\""), 0, &string));
    ck_assert_str_eq(string, "");
    free(string);

    string = NULL;
    assert_err(json_string(span("\"\\u00fcber\""), 4, &string), ERR_RANGE);
    assert_err(json_string(span("\"a\\u0000\""), 100, &string), ERR_RANGE);
    assert_err(json_string(span("null"), 100, &string), ERR_TYPE);
    assert_err(json_string(span("[\"a\"]"), 100, &string), ERR_TYPE);
    assert_err(json_string((struct json_span){0}, 100, &string), ERR_TYPE);
    ck_assert_ptr_null(string);
}
END_TEST

/* ---- Numbers ---- */

START_TEST(whole_numbers_are_exact_up_to_their_limits)
{
    static const struct {
        const char *text;
        int64_t value;
    } numbers[] = {
        {"0", 0},
        {"-0", 0},
        {"7", 7},
        {"-7", -7},
        {"9007199254740993", 9007199254740993},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        int64_t value = 99;

        assert_ok(json_int64(span(numbers[i].text), &value));
        ck_assert_int_eq(value, numbers[i].value);
    }
}
END_TEST

START_TEST(other_numbers_and_kinds_are_not_taken_for_whole_ones)
{
    static const char *const wrong_type[] = {"1.0", "1e3", "1E3", "-0.0", "\"1\"", "null", "[1]"};
    static const char *const out_of_range[] = {
        "9223372036854775808",        "-9223372036854775809",        "18446744073709551616",
        "99999999999999999999999999", "-99999999999999999999999999", "92233720368547758070",
    };
    int64_t value = 99;

    for (size_t i = 0; i < ARRAY_SIZE(wrong_type); i++)
        assert_err(json_int64(span(wrong_type[i]), &value), ERR_TYPE);
    for (size_t i = 0; i < ARRAY_SIZE(out_of_range); i++)
        assert_err(json_int64(span(out_of_range[i]), &value), ERR_RANGE);
    assert_err(json_int64((struct json_span){0}, &value), ERR_TYPE);
    ck_assert_int_eq(value, 99);
}
END_TEST

/* ---- The canonical form ---- */

START_TEST(the_canonical_text_has_no_space_and_the_shortest_escapes)
{
    TEXT t = {0};

    json_add_canonical(&t,
                       span(" { \"a\\u0062\" : [ 1.10 , -0 , 9007199254740993 ,1E+3],\n"
                            "\"\\/ \\u00fc\":\"\\u001F \\u000a\\\"\", \"n\" : null , \"e\":[ ]} "));
    assert_text(&t, "{\"ab\":[1.10,-0,9007199254740993,1E+3],\"/ \xc3\xbc\":\"\\u001f \\n\\\"\","
                    "\"n\":null,\"e\":[]}");
}
END_TEST

START_TEST(the_canonical_text_of_a_canonical_text_is_itself)
{
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        TEXT once = {0}, twice = {0};

        json_add_canonical(&once, span(good[i]));
        json_add_canonical(&twice, span(once.at));
        ck_assert_str_eq(once.at, twice.at);
    }
}
END_TEST

UNIT_SUITE("json_scan", what_the_grammar_allows_is_accepted,
           everything_else_is_refused_with_its_reason_and_place,
           a_nul_is_a_character_like_any_other, a_text_cut_anywhere_is_refused,
           a_special_byte_is_seen_at_every_place, nesting_is_allowed_up_to_the_limit,
           deeper_nesting_is_out_of_range, the_greatest_depth_can_be_used,
           long_numbers_are_out_of_range, long_texts_are_no_problem,
           the_value_stands_without_the_space_around_it, every_kind_is_told_apart,
           members_are_walked_in_their_order, items_are_walked_in_their_order,
           other_kinds_have_no_members, a_member_is_found_by_its_name,
           the_last_of_equal_members_counts_escaped_or_not, strings_are_compared_unescaped,
           every_escape_is_decoded, a_c_string_is_bounded_and_holds_no_nul,
           whole_numbers_are_exact_up_to_their_limits,
           other_numbers_and_kinds_are_not_taken_for_whole_ones,
           the_canonical_text_has_no_space_and_the_shortest_escapes,
           the_canonical_text_of_a_canonical_text_is_itself)
