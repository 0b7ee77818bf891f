#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

START_TEST(a_zeroed_text_is_empty)
{
    TEXT t = {0};

    assert_text(&t, "");
    ck_assert(text_equals(&t, ""));
    text_clear(&t);
    ck_assert_uint_eq(t.size, 0);
}
END_TEST

START_TEST(what_is_added_stands_in_order_and_is_terminated)
{
    TEXT t = {0};

    text_add(&t, "one ");
    text_add_char(&t, '2');
    text_add_bytes(&t, " three!", 6);
    text_addf(&t, " %s=%d", "four", 4);
    assert_text(&t, "one 2 three four=4");
    ck_assert_uint_eq(t.size, strlen(t.at));
    ck_assert(text_equals(&t, "one 2 three four=4"));
    ck_assert(!text_equals(&t, "one 2 three four=5"));
    ck_assert(!text_equals(&t, "one"));
}
END_TEST

START_TEST(numbers_are_written_whole_up_to_their_limits)
{
    TEXT t = {0};

    text_add_i64(&t, INT64_MIN);
    text_add_char(&t, ' ');
    text_add_i64(&t, INT64_MAX);
    text_add_char(&t, ' ');
    text_add_u64(&t, UINT64_MAX);
    text_add_char(&t, ' ');
    text_add_i64(&t, 0);
    text_add_char(&t, ' ');
    text_add_i64(&t, -7);
    assert_text(&t, "-9223372036854775808 9223372036854775807 18446744073709551615 0 -7");
}
END_TEST

START_TEST(a_text_grows_past_any_room_it_had)
{
    TEXT t = {0};

    for (int i = 0; i < 100000; i++)
        text_add(&t, "0123456789");
    ck_assert_uint_eq(t.size, 1000000);
    ck_assert_uint_eq(strlen(t.at), 1000000);
    ck_assert_int_eq(t.at[999999], '9');
}
END_TEST

START_TEST(reserved_bytes_are_added_without_moving)
{
    TEXT t = {0};
    const char *at;

    text_reserve(&t, 1000);
    at = t.at;
    for (int i = 0; i < 1000; i++)
        text_add_char(&t, 'x');
    ck_assert_ptr_eq(t.at, at);
}
END_TEST

START_TEST(an_empty_format_adds_nothing)
{
    TEXT t = {0};

    text_addf(&t, "%s", "");
    assert_text(&t, "");
    text_add_bytes(&t, NULL, 0);
    assert_text(&t, "");
}
END_TEST

START_TEST(clearing_keeps_the_memory)
{
    TEXT t = {0};
    size_t room;

    text_add(&t, "content");
    room = t.room;
    text_clear(&t);
    assert_text(&t, "");
    ck_assert_uint_eq(t.room, room);
}
END_TEST

START_TEST(cutting_keeps_what_stands_in_front)
{
    TEXT t = {0};

    text_cut(&t, 0);
    assert_text(&t, "");
    text_add(&t, "content");
    text_cut(&t, 3);
    assert_text(&t, "con");
    text_add_char(&t, 'e');
    assert_text(&t, "cone");
}
END_TEST

START_TEST(stolen_bytes_belong_to_the_caller)
{
    TEXT t = {0};
    char *stolen;

    text_add(&t, "mine");
    stolen = text_steal(&t);
    ck_assert_str_eq(stolen, "mine");
    ck_assert_ptr_null(t.at);
    free(stolen);

    stolen = text_steal(&t); /* of an empty text */
    ck_assert_str_eq(stolen, "");
    free(stolen);
}
END_TEST

START_TEST(json_strings_have_the_shortest_escapes)
{
    static const char bytes[] = "a/\"\\\b\f\n\r\t\x01\x1f\x7f\0\xc3\xbc";
    TEXT t = {0};

    text_add_json(&t, bytes, sizeof(bytes) - 1);
    assert_text(&t, "\"a/\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\xc3\xbc\"");
}
END_TEST

START_TEST(json_of_no_string_is_null)
{
    TEXT t = {0};

    text_add_json_str(&t, NULL);
    text_add_char(&t, ' ');
    text_add_json_str(&t, "");
    text_add_char(&t, ' ');
    text_add_json_str(&t, "x");
    assert_text(&t, "null \"\" \"x\"");
}
END_TEST

static void write_file(const char *path, const char *content, size_t size)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_file_is_added_whole)
{
    char path[] = "/tmp/unit-text-XXXXXX";
    TEXT big = {0}, t = {0};

    ck_assert_int_ge(close(mkstemp(path)), 0);
    for (int i = 0; i < 10000; i++)
        text_addf(&big, "line %d\n", i);
    write_file(path, big.at, big.size);
    text_add(&t, ">");
    assert_ok(text_add_file(&t, path, big.size));
    ck_assert_uint_eq(t.size, big.size + 1);
    ck_assert_str_eq(t.at + 1, big.at);
    unlink(path);
}
END_TEST

START_TEST(a_file_over_the_limit_is_out_of_range_and_adds_nothing)
{
    char path[] = "/tmp/unit-text-XXXXXX";
    TEXT t = {0};

    ck_assert_int_ge(close(mkstemp(path)), 0);
    write_file(path, "0123456789", 10);
    text_add(&t, "before");
    assert_err(text_add_file(&t, path, 9), ERR_RANGE);
    assert_text(&t, "before");
    unlink(path);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_an_io_error_with_its_reason)
{
    TEXT t = {0};

    errno = 0;
    assert_err(text_add_file(&t, "/nonexistent/file", 10), ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
    assert_err(text_add_file(&t, "/tmp", 10), ERR_IO);
    ck_assert_int_eq(errno, EISDIR);
    assert_text(&t, "");
}
END_TEST

/* The definition of UTF-8 by its code points, against which the table of ranges is held. */
static size_t encode(unsigned point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

START_TEST(every_code_point_is_a_character_except_surrogates)
{
    for (unsigned point = 0; point < 0x140000; point++) {
        char bytes[4];
        const size_t size = encode(point, bytes);
        const bool is_character = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);

        if (text_utf8_size(bytes, size) != (is_character ? size : 0))
            ck_abort_msg("U+%X", point);
        if (size > 1 && text_utf8_size(bytes, size - 1) != 0)
            ck_abort_msg("U+%X cut off", point);
    }
}
END_TEST

START_TEST(bytes_that_start_no_character_are_refused)
{
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xf0\x80\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
        "\xc3(",
        "\xe2\x82(",
        "\xf0\x9f\x98(",
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        ck_assert_msg(text_utf8_size(wrong[i], strlen(wrong[i])) == 0, "number %zu", i);
    ck_assert_uint_eq(text_utf8_size("", 0), 0);
}
END_TEST

UNIT_SUITE("text", a_zeroed_text_is_empty, what_is_added_stands_in_order_and_is_terminated,
           numbers_are_written_whole_up_to_their_limits, a_text_grows_past_any_room_it_had,
           reserved_bytes_are_added_without_moving, an_empty_format_adds_nothing,
           clearing_keeps_the_memory, cutting_keeps_what_stands_in_front,
           stolen_bytes_belong_to_the_caller, json_strings_have_the_shortest_escapes,
           json_of_no_string_is_null, a_file_is_added_whole,
           a_file_over_the_limit_is_out_of_range_and_adds_nothing,
           a_file_that_cannot_be_read_is_an_io_error_with_its_reason,
           every_code_point_is_a_character_except_surrogates,
           bytes_that_start_no_character_are_refused)
