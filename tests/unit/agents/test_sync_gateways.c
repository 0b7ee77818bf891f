#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* What gateways say of themselves. */

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
}

START_TEST(a_lease_is_answered_with_its_number)
{
    ck_assert_int_eq(ask("gatewayAlive", plan_gateway_alive, "{\"v\":1,\"gateway\":\"gateway.7\"}"),
                     WORK_CALL);
    ck_assert(has_arg("gateway.7"));
    fake_reply(&work.call, ":12\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ck_assert_str_eq(answer(), "{\"v\":1,\"lease\":12}");
}
END_TEST

static const struct {
    const char *operation;
    work_fn *plan;
    const char *body;
} malformed[] = {
    {"gatewayAlive", plan_gateway_alive, "{\"v\":1}"},
    {"gatewayAlive", plan_gateway_alive, "{\"gateway\":7}"},
    {"gatewayAlive", plan_gateway_alive, "{\"gateway\":\"\"}"},
    {"announce", plan_announce, "{\"clients\":[\"a\"]}"},
};

START_TEST(what_is_malformed_is_refused)
{
    ck_assert_int_eq(ask(malformed[_i].operation, malformed[_i].plan, malformed[_i].body),
                     WORK_PUBLISH);
    assert_contains(answer(), "\"errorCode\":\"-115\"");
}
END_TEST

/* The script says how many it has handled, which is fewer when they have very many marks. */
START_TEST(many_clients_are_announced_in_several_calls)
{
    static const char *const replies[] = {
        "*2\r\n:16\r\n*2\r\n$2\r\nc1\r\n$4\r\n4001\r\n",
        "*2\r\n:1\r\n*0\r\n",
        "*2\r\n:23\r\n*2\r\n$3\r\nc20\r\n$4\r\n4005\r\n",
    };
    struct text body = {0};

    text_add(&body, "{\"v\":1,\"gateway\":\"gateway.7\",\"clients\":[7");
    for (size_t i = 1; i < 40; i++)
        text_addf(&body, ",\"c%zu\"", i);
    text_add(&body, "]}");
    ck_assert_int_eq(ask("announce", plan_announce, body.at), WORK_CALL);
    ck_assert(has_arg("gateway.7") && has_arg("40") && has_arg("c15") && has_arg("c39"));
    fake_reply(&work.call, replies[0]);
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert(has_arg("24") && !has_arg("c15") && has_arg("c16"));
    fake_reply(&work.call, replies[1]);
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert(has_arg("23") && !has_arg("c16") && has_arg("c17"));
    fake_reply(&work.call, replies[2]);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ck_assert_str_eq(answer(), "{\"v\":1,\"close\":[[\"c1\",4001],[\"c20\",4005]]}");
    text_deinit(&body);
}
END_TEST

START_TEST(who_announces_nobody_is_answered)
{
    ck_assert_int_eq(ask("announce", plan_announce, "{\"gateway\":\"gateway.7\",\"clients\":{}}"),
                     WORK_PUBLISH);
    ck_assert_str_eq(answer(), "{\"v\":1,\"close\":[]}");
}
END_TEST

START_TEST(a_failed_announcement_is_answered_as_an_error)
{
    ask("announce", plan_announce, "{\"gateway\":\"gateway.7\",\"clients\":[\"c1\"]}");
    fake_reply(&work.call, "-ERR boom\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_lacks(answer(), "close");
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync gateways");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_test(tc, a_lease_is_answered_with_its_number);
    tcase_add_loop_test(tc, what_is_malformed_is_refused, 0, ARRAY_SIZE(malformed));
    tcase_add_test(tc, many_clients_are_announced_in_several_calls);
    tcase_add_test(tc, who_announces_nobody_is_answered);
    tcase_add_test(tc, a_failed_announcement_is_answered_as_an_error);
    return unit_run_case("sync_gateways", tc);
}
