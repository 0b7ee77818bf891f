#include <stdint.h>
#include <string.h>

#include "common/json/json_pointer.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static struct json_span plain(const char *pointer)
{
    return (struct json_span){pointer, strlen(pointer)};
}

/* The tokens of a pointer, each as a JSON string. */
static void assert_tokens(const char *pointer, const char *expected)
{
    TEXT all = {0}, key = {0};
    struct json_span rest = plain(pointer);
    size_t count = 0;

    ck_assert_ptr_null(json_pointer_fault(rest));
    for (; json_pointer_next(&rest, &key); count++)
        text_add(&all, text_str(&key));
    assert_text(&all, expected);
    ck_assert_uint_eq(json_pointer_depth(plain(pointer)), count);
}

/* The table of section 5, and more. */
START_TEST(a_pointer_is_cut_into_its_tokens)
{
    assert_tokens("", "");
    assert_tokens("/foo", "\"foo\"");
    assert_tokens("/foo/0", "\"foo\"\"0\"");
    assert_tokens("/", "\"\"");
    assert_tokens("/a~1b", "\"a/b\"");
    assert_tokens("/c%d", "\"c%d\"");
    assert_tokens("/e^f", "\"e^f\"");
    assert_tokens("/g|h", "\"g|h\"");
    assert_tokens("/i\\j", "\"i\\\\j\"");
    assert_tokens("/k\"l", "\"k\\\"l\"");
    assert_tokens("/ ", "\" \"");
    assert_tokens("/m~0n", "\"m~n\"");
    assert_tokens("//", "\"\"\"\"");
    assert_tokens("/~01/~10", "\"~1\"\"/0\"");
}
END_TEST

START_TEST(what_is_no_pointer_is_said)
{
    static const char *const bad[] = {"a", "a/b", "#/a", " /a", "/~", "/a~", "/~2", "/~/a", "/~~0"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(json_pointer_fault(plain(bad[i])), "%s", bad[i]);
    ck_assert_ptr_nonnull(json_pointer_fault((struct json_span){"/~\0", 3})); /* no "~" and NUL */
    ck_assert_ptr_null(json_pointer_fault((struct json_span){"/\0", 2}));
}
END_TEST

START_TEST(a_parent_lacks_the_last_token)
{
    ck_assert_uint_eq(json_pointer_parent(plain("/a")).size, 0);
    ck_assert_uint_eq(json_pointer_parent(plain("/a/")).size, strlen("/a"));
    ck_assert_uint_eq(json_pointer_parent(plain("/a/b~1c")).size, strlen("/a"));
}
END_TEST

START_TEST(inside_is_below_and_not_beside)
{
    ck_assert(json_pointer_is_inside(plain("/a"), plain("")));
    ck_assert(json_pointer_is_inside(plain("/a/b"), plain("/a")));
    ck_assert(json_pointer_is_inside(plain("/a/"), plain("/a")));
    ck_assert(!json_pointer_is_inside(plain("/a"), plain("/a")));
    ck_assert(!json_pointer_is_inside(plain("/ab"), plain("/a")));
    ck_assert(!json_pointer_is_inside(plain("/a"), plain("/a/b")));
    ck_assert(!json_pointer_is_inside(plain("/b/c"), plain("/a")));
}
END_TEST

static void assert_index(const char *key, size_t expected)
{
    size_t index;

    assert_ok(json_pointer_index(plain(key), &index));
    ck_assert_uint_eq(index, expected);
}

START_TEST(an_index_is_digits_without_leading_zeros)
{
    static const char *const bad[] = {"\"\"",    "\"-\"",  "\"-0\"",   "\"-1\"",
                                      "\"+1\"",  "\"00\"", "\"01\"",   "\"1 \"",
                                      "\"1e0\"", "\"a\"",  "\"1\\n\"", "\"0x1\""};
    size_t index;

    assert_index("\"0\"", 0);
    assert_index("\"10\"", 10);
    assert_index("\"18446744073709551614\"", SIZE_MAX - 1);
    assert_index("\"18446744073709551615\"", SIZE_MAX);
    assert_index("\"18446744073709551616\"", SIZE_MAX);
    assert_index("\"99999999999999999999999999999999999999990\"", SIZE_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_err(json_pointer_index(plain(bad[i]), &index), ERR_MALFORMED);
}
END_TEST

START_TEST(tokens_are_escaped_when_a_pointer_is_made)
{
    TEXT pointer = {0};

    json_pointer_add_key(&pointer, plain("\"a/b~1\\u0000\\\"\""));
    json_pointer_add_index(&pointer, 12);
    json_pointer_add_key(&pointer, plain("\"\""));
    ck_assert_uint_eq(pointer.size, 14);
    ck_assert_mem_eq(pointer.at, "/a~1b~01\0\"/12/", 14);
}
END_TEST

UNIT_SUITE("json_pointer", a_pointer_is_cut_into_its_tokens, what_is_no_pointer_is_said,
           a_parent_lacks_the_last_token, inside_is_below_and_not_beside,
           an_index_is_digits_without_leading_zeros, tokens_are_escaped_when_a_pointer_is_made)
