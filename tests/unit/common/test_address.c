#include <string.h>

#include "common/base/address.h"
#include "tests/support/unit.h"

static struct address address_of(const char *text)
{
    struct address a;

    ck_assert_msg(address_read(text, strlen(text), &a), "%s", text);
    return a;
}

START_TEST(an_address_is_printed_as_it_is_read)
{
    static const char *const texts[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::1", "fe80::1"};
    char printed[ADDRESS_CHARS];

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const struct address a = address_of(texts[i]);

        address_print(&a, printed);
        ck_assert_str_eq(printed, texts[i]);
    }
}
END_TEST

START_TEST(what_is_no_address_is_not_read)
{
    static const char *const texts[] = {
        "",           "1",
        "1.2.3",      "1.2.3.4.5",
        "1.2.3.256",  "unknown",
        "1.2.3.4:80", "[::1]",
        ":::",        "::g",
        " ::1",       "1.2.3.4/32",
        "fe80::1%1",  "_hidden",
        "01.2.3.4",   "2001:0db8:0000:0000:0000:0000:0000:0000:0001:0001:0001"};
    struct address a;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        ck_assert_msg(!address_read(texts[i], strlen(texts[i]), &a), "%s", texts[i]);
    ck_assert(!address_read("1.2.3.4\0x", 9, &a));
}
END_TEST

START_TEST(both_ways_to_write_an_ipv4_address_are_the_same)
{
    const struct address plain = address_of("192.0.2.1"), mapped = address_of("::ffff:192.0.2.1");
    char printed[ADDRESS_CHARS];

    ck_assert(address_equals(&plain, &mapped));
    address_print(&mapped, printed);
    ck_assert_str_eq(printed, "192.0.2.1");
}
END_TEST

START_TEST(what_is_not_known_prints_as_nothing)
{
    const struct address unknown = {{0}}, no_socket = address_of_peer(-1);
    char printed[ADDRESS_CHARS];

    address_print(&unknown, printed);
    ck_assert_str_eq(printed, "");
    ck_assert(address_equals(&unknown, &no_socket));
}
END_TEST

START_TEST(all_of_an_ipv6_64_is_one_holder)
{
    static const char *const pairs[][2] = {{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"},
                                           {"192.0.2.1", "192.0.2.1"}};
    const struct address next = address_of("2001:db8:0:1::1"), v4 = address_of("192.0.2.2");
    struct address holders[2], other;

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        for (size_t j = 0; j < 2; j++) {
            const struct address a = address_of(pairs[i][j]);

            holders[j] = address_holder(&a);
        }
        ck_assert(address_equals(&holders[0], &holders[1]));
        other = address_holder(i == 0 ? &next : &v4);
        ck_assert(!address_equals(&holders[0], &other));
    }
}
END_TEST

static bool has(const char *list, const char *address)
{
    const struct address a = address_of(address);
    _cleanup_(text_deinitp) struct text problem = {0};
    struct networks n = {0};
    bool found;

    ck_assert_msg(!networks_read(list, &n, &problem), "%s: %s", list, text_str(&problem));
    found = networks_have(&n, &a);
    networks_deinit(&n);
    return found;
}

START_TEST(a_network_has_what_lies_between_its_edges)
{
    ck_assert(!has("10.0.0.0/8", "9.255.255.255"));
    ck_assert(has("10.0.0.0/8", "10.0.0.0"));
    ck_assert(has("10.0.0.0/8", "10.255.255.255"));
    ck_assert(!has("10.0.0.0/8", "11.0.0.0"));
    ck_assert(has("192.0.2.128/25", "192.0.2.128"));
    ck_assert(!has("192.0.2.128/25", "192.0.2.127"));
    ck_assert(has("2001:db8::/33", "2001:db8:7fff::1"));
    ck_assert(!has("2001:db8::/33", "2001:db8:8000::1"));
    ck_assert(has("0.0.0.0/0", "255.255.255.255"));
    ck_assert(!has("0.0.0.0/0", "2001:db8::1"));
    ck_assert(has("::/0", "192.0.2.1"));
    ck_assert(has("::ffff:10.0.0.0/104", "10.1.2.3"));
    ck_assert(!has("::ffff:10.0.0.0/104", "11.1.2.3"));
}
END_TEST

START_TEST(a_list_of_networks_has_what_any_of_them_has)
{
    ck_assert(has(" 127.0.0.1, ::1,10.0.0.0/8 ", "127.0.0.1"));
    ck_assert(has("127.0.0.1, ::1,10.0.0.0/8", "::1"));
    ck_assert(has("127.0.0.1, ::1,10.0.0.0/8", "10.9.9.9"));
    ck_assert(!has("127.0.0.1, ::1,10.0.0.0/8", "127.0.0.2"));
    ck_assert(!has("", "127.0.0.1"));
}
END_TEST

START_TEST(what_is_no_network_is_told)
{
    static const char *const wrong[] = {
        "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/a",    "10.0.0.1/8", "::/129",
        "10.0.0.0/-1", "localhost", "10.0.0.0/0008", "/8",         "2001:db8::1/32"};

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        _cleanup_(text_deinitp) struct text list = {0}, problem = {0};
        struct networks n = {0};

        text_addf(&list, "127.0.0.1, %s", wrong[i]);
        assert_err(networks_read(text_str(&list), &n, &problem), ERR_CONFIG);
        ck_assert_msg(strncmp(problem.at, wrong[i], strlen(wrong[i])) == 0, "%s", problem.at);
        ck_assert_uint_eq(n.count, 0);
    }
}
END_TEST

UNIT_SUITE("address", an_address_is_printed_as_it_is_read, what_is_no_address_is_not_read,
           both_ways_to_write_an_ipv4_address_are_the_same, what_is_not_known_prints_as_nothing,
           all_of_an_ipv6_64_is_one_holder, a_network_has_what_lies_between_its_edges,
           a_list_of_networks_has_what_any_of_them_has, what_is_no_network_is_told)
