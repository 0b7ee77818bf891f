#include "common/redis/redis_link.h"
#include "common/redis/redis_private.h"
#include "tests/support/unit.h"

/* What is wrong with the settings of Redis, told before anything starts. */

struct wrong {
    struct redis_config config;
    const char *told;
};

#define PLAIN "redis://:secret@host:6379/2"

// clang-format off
static const struct wrong wrongs[] = {
    { { .url = "localhost" },                                         "redis.url: not of the form" },
    { { .url = "redis://h:65536" },                                   "redis.url: not of the form" },
    { { .url = "redis://[::1" },                                      "redis.url: not of the form" },
    { { .url = "redis://[]:6379" },                                   "redis.url: not of the form" },
    { { .url = "redis://[::1]6379" },                                 "redis.url: not of the form" },
    { { .url = "redis://[::1]:x" },                                   "redis.url: not of the form" },
    { { .url = "unix:///a", .sentinels = "a:1", .sentinel_name = "s" }, "redis.url: sentinels lead" },
    { { .url = PLAIN, .sentinel_name = "s" },                         "redis.sentinels: not set" },
    { { .url = PLAIN, .sentinels = "a:1" },                           "redis.sentinel_name: not set" },
    { { .url = PLAIN, .sentinels = "a", .sentinel_name = "s" },       "redis.sentinels: not of the form" },
    { { .url = PLAIN, .sentinels = ":1", .sentinel_name = "s" },      "redis.sentinels: not of the form" },
    { { .url = PLAIN, .sentinels = "a:0", .sentinel_name = "s" },     "redis.sentinels: not of the form" },
    { { .url = PLAIN, .sentinels = "a:65536", .sentinel_name = "s" }, "redis.sentinels: not of the form" },
    { { .url = PLAIN, .sentinels = "a:1x", .sentinel_name = "s" },    "redis.sentinels: not of the form" },
    { { .url = PLAIN, .sentinels = "a:1,", .sentinel_name = "s" },    "redis.sentinels: not of the form" },
    { { .url = PLAIN, .sentinels = "a:1,,b:1", .sentinel_name = "s" }, "redis.sentinels: not of the form" },
    { { .url = PLAIN, .wait_replicas = 1, .wait_ms = 5, .timeout_ms = 5 }, "redis.wait_ms: has to be less" },
};

static const struct redis_config rights[] = {
    { .url = PLAIN },
    { .url = "unix:///a", .sentinels = "", .sentinel_name = "" },
    { .url = PLAIN, .sentinels = "a:1", .sentinel_name = "s" },
    { .url = PLAIN, .sentinels = "a:1, b:65535,127.0.0.1:26379", .sentinel_name = "s" },
    { .url = PLAIN, .wait_replicas = 1, .wait_ms = 4, .timeout_ms = 5 },
    { .url = PLAIN, .wait_replicas = 0, .wait_ms = 5, .timeout_ms = 5 },
};
// clang-format on

START_TEST(each_mistake_is_a_line_that_names_its_setting)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
        _cleanup_(text_deinitp) struct text problems = {0};

        ck_assert_int_eq(redis_config_check(&wrongs[i].config, &problems), ERR_CONFIG);
        assert_contains(text_str(&problems), wrongs[i].told);
        ck_assert_ptr_eq(strchr(text_str(&problems), '\n'),
                         text_str(&problems) + problems.size - 1);
        assert_lacks(text_str(&problems), "secret");
    }
}
END_TEST

START_TEST(several_mistakes_are_told_together)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    const struct redis_config config = {.url = "x", .sentinels = "y", .wait_replicas = 1};

    assert_err(redis_config_check(&config, &problems), ERR_CONFIG);
    assert_contains(text_str(&problems), "redis.url");
    assert_contains(text_str(&problems), "redis.sentinels");
    assert_contains(text_str(&problems), "redis.sentinel_name");
    assert_contains(text_str(&problems), "redis.wait_ms");
}
END_TEST

START_TEST(what_is_right_is_taken)
{
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
        _cleanup_(text_deinitp) struct text problems = {0};
        struct redis_link *link = NULL;

        ck_assert_msg(!redis_config_check(&rights[i], &problems), "%s", text_str(&problems));
        assert_ok(redis_link_create(&rights[i], "test", &link));
        redis_link_destroy(link);
    }
}
END_TEST

START_TEST(an_address_of_ipv6_stands_in_brackets)
{
    static const struct {
        const char *url, *host;
        int port;
    } places[] = {
        {"redis://host", "host", 6379},
        {"redis://:secret@host:1/2", "host", 1},
        {"redis://[::1]", "::1", 6379},
        {"redis://:secret@[2001:db8::2]:1/2", "2001:db8::2", 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct redis_address address;

        assert_ok(redis_address_parse(places[i].url, &address));
        ck_assert_str_eq(address.host, places[i].host);
        ck_assert_int_eq(address.port, places[i].port);
        redis_address_deinit(&address);
    }
}
END_TEST

UNIT_SUITE("redis_config", each_mistake_is_a_line_that_names_its_setting,
           several_mistakes_are_told_together, what_is_right_is_taken,
           an_address_of_ipv6_stands_in_brackets)
