#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/process/settings.h"
#include "gateway/door/door.h"
#include "tests/support/unit.h"

#define SPARE 32 /* sockets of an address beyond its WebSockets */
#define NOW   1000000

#define MOST_INSIDE 1000

static char anyone[] = "*", only[] = "https://good.org", nobody[] = "", proxy[] = "10.0.0.1";

static struct door *door;
static struct metrics *metrics;
static struct visitor *inside[MOST_INSIDE];

static const struct settings usual = {
    .gateway_origins = anyone,
    .gateway_trusted_proxies = nobody,
};

static void set_rules(struct settings s)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct door_rules rules = {0};

    assert_ok(door_rules_read(&s, &rules, &problems));
    door_set_rules(door, &rules);
}

static void open_door(struct settings s)
{
    assert_ok(secret_init());
    metrics = metrics_create(&gateway_metrics, NULL);
    assert_ok(door_create(100, metrics, &door));
    set_rules(s);
}

static void leave(struct visitor *v)
{
    for (size_t i = 0; i < MOST_INSIDE; i++)
        if (inside[i] == v)
            inside[i] = NULL;
    door_leave(door, v, NOW);
}

static void close_door(void)
{
    for (size_t i = 0; i < MOST_INSIDE; i++)
        if (inside[i])
            leave(inside[i]);
    door_destroy(door);
    metrics_destroy(metrics);
}

static struct visitor *enter_at(const char *from, int64_t now_ms)
{
    struct address peer;

    ck_assert(address_read(from, strlen(from), &peer));
    for (size_t i = 0; i < MOST_INSIDE; i++)
        if (!inside[i])
            return inside[i] = door_enter(door, &peer, now_ms);
    ck_abort_msg("too many inside");
}

static struct visitor *enter(const char *from)
{
    struct visitor *v = enter_at(from, NOW);

    ck_assert_ptr_nonnull(v);
    return v;
}

static int upgrade_at(struct visitor *v, struct upgrade u, int64_t now_ms)
{
    return door_upgrade(door, v, &u, now_ms);
}

#define UPGRADE(v, ...) upgrade_at(v, (struct upgrade){__VA_ARGS__}, NOW)

/* A WebSocket from there; its status. */
static int come(const char *from)
{
    return UPGRADE(enter(from), NULL);
}

static int64_t counted(enum metric m)
{
    return metrics_get(metrics, m);
}

START_TEST(an_address_may_have_so_many_websockets)
{
    struct settings s = usual;
    struct visitor *first;

    s.gateway_max_connections_per_address = 2;
    open_door(s);
    first = enter("192.0.2.1");
    ck_assert_int_eq(UPGRADE(first, NULL), 0);
    ck_assert_int_eq(come("192.0.2.1"), 0);
    ck_assert_int_eq(come("192.0.2.1"), 429);
    ck_assert_int_eq(counted(METRIC_DOOR_CLIENTS), 1);
    ck_assert_int_eq(come("192.0.2.2"), 0);
    leave(first);
    ck_assert_int_eq(come("192.0.2.1"), 0);
    close_door();
}
END_TEST

START_TEST(all_of_an_ipv6_64_share_theirs)
{
    struct settings s = usual;

    s.gateway_max_connections_per_address = 1;
    open_door(s);
    ck_assert_int_eq(come("2001:db8::1"), 0);
    ck_assert_int_eq(come("2001:db8::2"), 429);
    ck_assert_int_eq(come("2001:db8:0:1::1"), 0);
    close_door();
}
END_TEST

START_TEST(sockets_that_are_no_websockets_have_a_limit_too)
{
    struct settings s = usual;
    struct visitor *v[1 + SPARE];

    s.gateway_max_connections_per_address = 1;
    open_door(s);
    for (size_t i = 0; i < ARRAY_SIZE(v); i++)
        v[i] = enter("192.0.2.1");
    ck_assert_ptr_null(enter_at("192.0.2.1", NOW));
    ck_assert_int_eq(counted(METRIC_DOOR_SOCKETS), 1);
    leave(v[0]);
    leave(enter("192.0.2.1"));
    close_door();
}
END_TEST

START_TEST(an_address_may_ask_so_often)
{
    struct settings s = usual;
    struct visitor *v;

    s.gateway_max_upgrades_per_s_per_address = 2;
    open_door(s);
    v = enter("192.0.2.1");
    ck_assert_int_eq(UPGRADE(v, NULL), 0);
    leave(v);
    ck_assert_int_eq(come("192.0.2.1"), 0);
    v = enter("192.0.2.1");
    ck_assert_int_eq(UPGRADE(v, NULL), 429);
    ck_assert_int_eq(counted(METRIC_DOOR_UPGRADES_OF_ONE), 1);
    ck_assert_int_eq(come("192.0.2.2"), 0);
    ck_assert_int_eq(upgrade_at(v, (struct upgrade){0}, NOW + 499), 429);
    ck_assert_int_eq(upgrade_at(v, (struct upgrade){0}, NOW + 500), 0);
    close_door();
}
END_TEST

START_TEST(who_has_gone_and_comes_again_has_not_been_forgotten)
{
    struct settings s = usual;
    struct visitor *v;

    s.gateway_max_upgrades_per_s_per_address = 1;
    open_door(s);
    v = enter("192.0.2.1");
    ck_assert_int_eq(UPGRADE(v, NULL), 0);
    leave(v);
    door_tick(door, NOW + 999);
    v = enter_at("192.0.2.1", NOW + 999);
    ck_assert_int_eq(upgrade_at(v, (struct upgrade){0}, NOW + 999), 429);
    close_door();
}
END_TEST

START_TEST(an_address_may_open_so_many_sockets_in_a_second)
{
    struct settings s = usual;
    const int most = 4; /* times its upgrades */

    s.gateway_max_upgrades_per_s_per_address = 1;
    open_door(s);
    for (int i = 0; i < most; i++)
        leave(enter("192.0.2.1"));
    ck_assert_ptr_null(enter_at("192.0.2.1", NOW));
    ck_assert_int_eq(counted(METRIC_DOOR_ARRIVALS), 1);
    ck_assert_ptr_nonnull(enter_at("192.0.2.2", NOW));
    ck_assert_ptr_null(enter_at("192.0.2.1", NOW + 249));
    ck_assert_ptr_nonnull(enter_at("192.0.2.1", NOW + 250));
    close_door();
}
END_TEST

START_TEST(all_together_may_ask_so_often)
{
    struct settings s = usual;

    s.gateway_max_upgrades_per_s = 3;
    s.gateway_max_upgrades_per_s_per_address = 2;
    open_door(s);
    ck_assert_int_eq(come("192.0.2.1"), 0);
    ck_assert_int_eq(come("192.0.2.1"), 0);
    ck_assert_int_eq(come("192.0.2.1"), 429); /* which takes nothing from the others */
    ck_assert_int_eq(come("192.0.2.2"), 0);
    ck_assert_int_eq(come("192.0.2.3"), 503);
    ck_assert_int_eq(counted(METRIC_DOOR_UPGRADES_OF_ALL), 1);
    close_door();
}
END_TEST

START_TEST(pages_of_other_origins_stay_outside)
{
    struct settings s = usual;

    s.gateway_origins = only;
    open_door(s);
    ck_assert_int_eq(UPGRADE(enter("192.0.2.1"), .origin = "https://good.org"), 0);
    ck_assert_int_eq(UPGRADE(enter("192.0.2.1"), .origin = "https://evil.org"), 403);
    ck_assert_int_eq(counted(METRIC_DOOR_ORIGIN), 1);
    ck_assert_int_eq(come("192.0.2.1"), 0); /* no browser */
    close_door();
}
END_TEST

START_TEST(who_says_no_origin_may_have_to)
{
    struct settings s = usual;

    s.gateway_require_origin = true;
    open_door(s);
    ck_assert_int_eq(come("192.0.2.1"), 403);
    ck_assert_int_eq(counted(METRIC_DOOR_NO_ORIGIN), 1);
    ck_assert_int_eq(UPGRADE(enter("192.0.2.1"), .origin = "https://good.org"), 0);
    close_door();
}
END_TEST

START_TEST(who_is_refused_has_nothing_open)
{
    struct settings s = usual;

    s.gateway_origins = only;
    s.gateway_max_connections_per_address = 1;
    open_door(s);
    ck_assert_int_eq(UPGRADE(enter("192.0.2.1"), .origin = "https://evil.org"), 403);
    ck_assert_int_eq(come("192.0.2.1"), 0);
    close_door();
}
END_TEST

START_TEST(limits_are_for_clients_and_not_for_their_proxies)
{
    struct settings s = usual;
    char printed[ADDRESS_CHARS];
    struct visitor *v;

    s.gateway_trusted_proxies = proxy;
    s.gateway_max_connections_per_address = 1;
    s.gateway_max_upgrades_per_s_per_address = 2;
    open_door(s);
    for (int i = 0; i < SPARE * 2; i++) {
        char client[32];

        snprintf(client, sizeof(client), "192.0.2.%d", i);
        v = enter("10.0.0.1");
        ck_assert_int_eq(UPGRADE(v, .forwarded = client), 0);
        address_print(&v->from, printed);
        ck_assert_str_eq(printed, client);
    }
    ck_assert_int_eq(UPGRADE(enter("10.0.0.1"), .forwarded = "192.0.2.7"), 429);
    ck_assert_int_eq(UPGRADE(enter("10.0.0.2"), .forwarded = "192.0.2.99"),
                     0); /* no proxy of ours */
    ck_assert_int_eq(UPGRADE(enter("10.0.0.2"), .forwarded = "192.0.2.98"), 429);
    close_door();
}
END_TEST

START_TEST(without_limits_everybody_comes_in)
{
    open_door(usual);
    for (int i = 0; i < MOST_INSIDE; i++)
        ck_assert_int_eq(come("192.0.2.1"), 0);
    close_door();
}
END_TEST

START_TEST(who_is_in_stays_in_under_other_rules)
{
    struct settings s = usual;
    struct visitor *first, *second;

    s.gateway_max_connections_per_address = 2;
    open_door(s);
    first = enter("192.0.2.1");
    second = enter("192.0.2.1");
    ck_assert_int_eq(UPGRADE(first, NULL), 0);
    ck_assert_int_eq(UPGRADE(second, NULL), 0);
    s.gateway_max_connections_per_address = 1;
    s.gateway_origins = only;
    s.gateway_trusted_proxies = proxy;
    set_rules(s);
    ck_assert_int_eq(come("192.0.2.1"), 429);
    ck_assert_int_eq(UPGRADE(enter("192.0.2.2"), .origin = "https://evil.org"), 403);
    ck_assert_int_eq(UPGRADE(enter("10.0.0.1"), .forwarded = "192.0.2.3"), 0);
    ck_assert_int_eq(UPGRADE(enter("10.0.0.1"), .forwarded = "192.0.2.4"), 0);
    leave(first);
    ck_assert_int_eq(come("192.0.2.1"), 429);
    leave(second);
    ck_assert_int_eq(come("192.0.2.1"), 0);
    close_door();
}
END_TEST

START_TEST(another_rate_counts_at_once)
{
    struct settings s = usual;

    s.gateway_max_upgrades_per_s = 100;
    open_door(s);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(come("192.0.2.1"), 0);
    ck_assert_int_eq(come("192.0.2.1"), 503);
    s.gateway_max_upgrades_per_s = 1;
    set_rules(s);
    ck_assert_int_eq(upgrade_at(enter("192.0.2.1"), (struct upgrade){0}, NOW + 1000), 0);
    ck_assert_int_eq(upgrade_at(enter("192.0.2.1"), (struct upgrade){0}, NOW + 1000), 503);
    close_door();
}
END_TEST

static const struct {
    char *origins, *proxies;
    const char *key;
} wrong[] = {
    {(char[]){"good.org"}, nobody, "gateway.origins"},
    {anyone, (char[]){"10.0.0.0/40"}, "gateway.trusted_proxies"},
};

START_TEST(wrong_settings_are_told)
{
    struct settings s = usual;
    _cleanup_(text_deinitp) struct text problems = {0};
    struct door_rules none = {0};

    s.gateway_origins = wrong[_i].origins;
    s.gateway_trusted_proxies = wrong[_i].proxies;
    assert_err(door_rules_read(&s, &none, &problems), ERR_CONFIG);
    assert_contains(problems.at, wrong[_i].key);
    ck_assert_ptr_null(none.origins.at);
    ck_assert_ptr_null(none.trusted.at);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_address_may_have_so_many_websockets,
        all_of_an_ipv6_64_share_theirs,
        sockets_that_are_no_websockets_have_a_limit_too,
        an_address_may_ask_so_often,
        who_has_gone_and_comes_again_has_not_been_forgotten,
        an_address_may_open_so_many_sockets_in_a_second,
        all_together_may_ask_so_often,
        pages_of_other_origins_stay_outside,
        who_says_no_origin_may_have_to,
        who_is_refused_has_nothing_open,
        limits_are_for_clients_and_not_for_their_proxies,
        without_limits_everybody_comes_in,
        who_is_in_stays_in_under_other_rules,
        another_rate_counts_at_once,
    };
    TCase *tcase = tcase_create("gateway_door");

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(tcase, tests[i]);
    tcase_add_loop_test(tcase, wrong_settings_are_told, 0, ARRAY_SIZE(wrong));
    return unit_run_case("gateway_door", tcase);
}
