#include <string.h>

#include "common/base/plain_name.h"
#include "tests/support/unit.h"

START_TEST(letters_digits_and_three_signs_make_a_plain_name)
{
    static const char *const good[] = {"a", "Z9", "chief.editor_2-a", ".", "-"};
    static const char *const bad[] = {"", " ", "a b", "a:b", "a,b", "\xc3\xa4", "a\n", "a/"};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(is_plain_name(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!is_plain_name(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(a_plain_name_has_a_hundred_bytes_at_most)
{
    char name[PLAIN_NAME_MAX + 2];

    memset(name, 'n', sizeof(name));
    name[PLAIN_NAME_MAX + 1] = '\0';
    ck_assert(!is_plain_name(name));
    name[PLAIN_NAME_MAX] = '\0';
    ck_assert(is_plain_name(name));
}
END_TEST

UNIT_SUITE("plain_name", letters_digits_and_three_signs_make_a_plain_name,
           a_plain_name_has_a_hundred_bytes_at_most)
