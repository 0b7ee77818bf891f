#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "agents/runtime/http/http_address.h"
#include "agents/sync/connectors/http_operation.h"
#include "tests/support/unit.h"

/* Whom operations may talk to. */

static bool is_private(const char *address)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return http_address_is_private((const struct sockaddr *)&four);
    ck_assert_int_eq(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
    return http_address_is_private((const struct sockaddr *)&six);
}

START_TEST(what_is_not_public_is_private)
{
    static const char *const addresses[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "4000::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
        ck_assert_msg(is_private(addresses[i]), "%s", addresses[i]);
}
END_TEST

START_TEST(the_neighbours_of_what_is_private_are_public)
{
    static const char *const addresses[] = {
        "1.0.0.0",         "8.8.8.8",          "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",      "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0",      "172.15.255.255",  "172.32.0.0",
        "192.0.1.0",       "192.0.3.0",        "192.88.98.255",   "192.167.255.255",
        "192.169.0.0",     "198.17.255.255",   "198.20.0.0",      "223.255.255.255",
        "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8", "2000::1",         "2001:200::1",
        "2001:4860::8888", "2001:db7::1",      "2001:db9::1",     "2002:808:808::1",
        "2003::1",         "3ffe::1",          "3fff:1000::1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
        ck_assert_msg(!is_private(addresses[i]), "%s", addresses[i]);
}
END_TEST

START_TEST(another_family_is_private)
{
    const struct sockaddr_un local = {.sun_family = AF_UNIX};

    ck_assert(http_address_is_private((const struct sockaddr *)&local));
}
END_TEST

START_TEST(origins_are_equal_by_host_and_port)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"http://a.example/x", "https://A.example", true},
        {"http://a.example:80", "https://a.example:443/y?z", true},
        {"http://a.example", "http://b.example", false},
        {"http://a.example", "http://a.example.", false},
        {"http://a.example", "http://a.example:8080", false},
        {"http://a.example:443", "https://a.example", false},
        {"http://a.example:8080", "https://a.example:8080", true},
        {"http://a.example:8080", "http://a.example:8081", false},
        {"http://127.0.0.1", "http://2130706433", true},
        {"http://[::1]", "http://[0:0:0:0:0:0:0:1]", true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct http_origin a, b;

        assert_ok(http_origin_parse(rows[i].a, &a));
        assert_ok(http_origin_parse(rows[i].b, &b));
        ck_assert_msg(http_origin_equal(&a, &b) == rows[i].equal, "%s %s", rows[i].a, rows[i].b);
        http_origin_deinit(&a);
        http_origin_deinit(&b);
    }
}
END_TEST

START_TEST(what_is_no_url_of_http_has_no_origin)
{
    static const char *const urls[] = {
        "",
        "a.example",
        "//a.example",
        "ftp://a.example",
        "file:///etc/passwd",
        "http://",
        "http://u@a.example",
        "http://u:p@a.example",
        "http://:p@a.example",
        "https://a.example:0x",
        "https://a.example:65536",
        "http://a b",
        "http://[::1",
        "gopher://a",
    };

    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        struct http_origin origin;

        ck_assert_msg(http_origin_parse(urls[i], &origin) == ERR_MALFORMED, "%s", urls[i]);
        ck_assert_ptr_null(origin.host);
        ck_assert_ptr_null(origin.port);
    }
}
END_TEST

START_TEST(segments_of_dots_are_found)
{
    static const char *const dots[] = {"http://a/.",   "http://a/..",       "http://a/../b",
                                       "http://a/b/.", "http://a/b/../c?d", "http://a/..?x"},
                             *const none[] = {"http://a",           "http://a/",
                                              "http://..",          "http://a/...",
                                              "http://a/.b/b./b..", "http://a?b=/../",
                                              "http://a/b?/.."};

    for (size_t i = 0; i < ARRAY_SIZE(dots); i++)
        ck_assert_msg(http_url_has_dots(dots[i]), "%s", dots[i]);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        ck_assert_msg(!http_url_has_dots(none[i]), "%s", none[i]);
}
END_TEST

UNIT_SUITE("http_address", what_is_not_public_is_private,
           the_neighbours_of_what_is_private_are_public, another_family_is_private,
           origins_are_equal_by_host_and_port, what_is_no_url_of_http_has_no_origin,
           segments_of_dots_are_found)
