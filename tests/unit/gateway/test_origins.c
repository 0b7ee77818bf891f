#include <string.h>

#include "gateway/door/origins.h"
#include "tests/support/unit.h"

static bool allows(const char *list, const char *origin, const char *host)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct origins o = {0};
    bool allowed;

    ck_assert_msg(!origins_read(list, &o, &problem), "%s: %s", list, text_str(&problem));
    allowed = origins_allow(&o, origin, host);
    origins_deinit(&o);
    return allowed;
}

static const char list[] = "https://app.example.com, http://localhost:3000,capacitor://localhost";

START_TEST(an_origin_of_the_list_is_allowed)
{
    static const char *const good[] = {
        "https://app.example.com", "HTTPS://App.Example.COM", "https://app.example.com:443",
        "http://localhost:3000",   "capacitor://localhost",
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(allows(list, good[i], NULL), "%s", good[i]);
}
END_TEST

START_TEST(whatever_differs_from_it_is_not)
{
    static const char *const bad[] = {
        "http://app.example.com",
        "https://app.example.com:444",
        "https://app.example.com:4433",
        "https://example.com",
        "https://x.app.example.com",
        "https://app.example.com.evil.org",
        "https://app.example.com/",
        "https://app.example.com/x",
        "https://app.example.co",
        "https://xapp.example.com",
        "https://u@app.example.com",
        "http://localhost",
        "http://localhost:30000",
        "http://localhost:80",
        "capacitor://localhost:443",
        "null",
        "",
        "*",
        "self",
        "https://app.example.com,https://evil.org",
        "https://app.example.com https://evil.org",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!allows(list, bad[i], "app.example.com"), "%s", bad[i]);
}
END_TEST

START_TEST(a_default_port_may_stand_in_the_list)
{
    ck_assert(allows("https://a.org:443", "https://a.org", NULL));
    ck_assert(allows("http://a.org:80", "http://a.org", NULL));
    ck_assert(!allows("http://a.org:443", "http://a.org", NULL));
    ck_assert(allows("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080", NULL));
}
END_TEST

START_TEST(without_an_entry_no_page_is_allowed)
{
    ck_assert(!allows("", "https://a.org", "a.org"));
}
END_TEST

START_TEST(a_star_allows_every_page)
{
    ck_assert(allows("*", "https://a.org", NULL));
    ck_assert(allows("https://b.org,*", "null", NULL));
}
END_TEST

START_TEST(self_is_the_host_and_port_that_is_asked)
{
    ck_assert(allows("self", "http://gw.org:8080", "gw.org:8080"));
    ck_assert(allows("self", "http://GW.org", "gw.ORG:80"));
    ck_assert(allows("self", "https://gw.org", "gw.org:443"));
    ck_assert(allows("self", "https://gw.org", "gw.org"));
    ck_assert(allows("self", "http://[::1]:8080", "[::1]:8080"));
    ck_assert(!allows("self", "http://gw.org:8081", "gw.org:8080"));
    ck_assert(!allows("self", "http://gw.org", "gw.org:8080"));
    ck_assert(!allows("self", "http://evil.org", "gw.org"));
    ck_assert(!allows("self", "ftp://gw.org", "gw.org"));
    ck_assert(!allows("self", "null", "gw.org"));
    ck_assert(!allows("self", "http://gw.org", NULL));
    ck_assert(!allows("self", "http://", ""));
}
END_TEST

START_TEST(what_is_no_origin_is_told)
{
    static const char *const wrong[] = {
        "app.example.com",
        "https://",
        "https://a.org/",
        "https://a.org/path",
        "https://*.a.org",
        "https://u@a.org",
        "https://a.org:",
        "https://a.org:x",
        "null",
        "https:a.org",
        "://a.org",
        "https://a.org?x",
        "https://[::1",
        "https://[x y]",
        "**",
        "Self",
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        _cleanup_(text_deinitp) struct text all = {0}, problem = {0};
        struct origins o = {0};

        text_addf(&all, "https://good.org,%s", wrong[i]);
        ck_assert_msg(origins_read(all.at, &o, &problem) == ERR_CONFIG, "%s", wrong[i]);
        assert_contains(problem.at, "expected scheme://host");
        ck_assert_uint_eq(o.count, 0);
    }
}
END_TEST

UNIT_SUITE("gateway_origins", an_origin_of_the_list_is_allowed, whatever_differs_from_it_is_not,
           a_default_port_may_stand_in_the_list, without_an_entry_no_page_is_allowed,
           a_star_allows_every_page, self_is_the_host_and_port_that_is_asked,
           what_is_no_origin_is_told)
