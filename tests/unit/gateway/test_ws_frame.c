#include <string.h>

#include "gateway/sockets/ws_frame.h"
#include "tests/support/unit.h"

/* A text frame of `size` bytes begins with these bytes, and then comes the text. */
static void expect_header(size_t size, const char *header, size_t header_size)
{
    _cleanup_(text_deinitp) struct text content = {0}, out = {0};

    while (content.size < size)
        text_add_char(&content, 'x');
    ws_frame_add_text(&out, text_str(&content), size);
    ck_assert_uint_eq(out.size, header_size + size);
    ck_assert_mem_eq(out.at, header, header_size);
    ck_assert_mem_eq(out.at + header_size, text_str(&content), size);
}

START_TEST(a_length_takes_as_many_bytes_as_it_needs)
{
    expect_header(0, "\x81\x00", 2);
    expect_header(1, "\x81\x01", 2);
    expect_header(125, "\x81\x7d", 2);
    expect_header(126, "\x81\x7e\x00\x7e", 4);
    expect_header(65535, "\x81\x7e\xff\xff", 4);
    expect_header(65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10);
}
END_TEST

START_TEST(a_close_carries_code_and_reason)
{
    static const char expected[] = "\x88\x06\x0f\xa3slow";
    _cleanup_(text_deinitp) struct text out = {0};

    ws_frame_add_close(&out, 4003, "slow");
    ck_assert_uint_eq(out.size, sizeof(expected) - 1);
    ck_assert_mem_eq(out.at, expected, out.size);
}
END_TEST

UNIT_SUITE("ws_frame", a_length_takes_as_many_bytes_as_it_needs, a_close_carries_code_and_reason)
