#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* What gateways say of themselves, and what operators ask. */

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
    {"inspectClients", plan_inspect_clients, "{\"after\":\"x\"}"},
    {"inspectWatch", plan_inspect_watch,
     "{\"theClassName\":\"com.app.mo.Task\",\"theClassId\":\"1\",\"theClient\":7}"},
};

START_TEST(what_is_malformed_is_refused)
{
    ck_assert_int_eq(ask(malformed[_i].operation, malformed[_i].plan, malformed[_i].body),
                     WORK_PUBLISH);
    assert_contains(answer(), "\"errorCode\":\"-115\"");
}
END_TEST

START_TEST(many_clients_are_announced_in_several_calls)
{
    struct text body = {0};
    enum work_step step;
    size_t calls = 0;

    text_add(&body, "{\"v\":1,\"gateway\":\"gateway.7\",\"clients\":[7");
    for (size_t i = 1; i < 40; i++)
        text_addf(&body, ",\"c%zu\"", i);
    text_add(&body, "]}");
    step = ask("announce", plan_announce, body.at);
    ck_assert(has_arg("gateway.7") && has_arg("16") && has_arg("c15") && !has_arg("c16"));
    for (; step == WORK_CALL; calls++) {
        fake_reply_strings(&work.call, calls == 1 ? (const char *const[]){NULL}
                                                  : (const char *const[]){"c1", "4001", NULL});
        step = work.next(&work);
        if (calls == 1)
            ck_assert(has_arg("8") && has_arg("c32") && has_arg("c39"));
    }
    ck_assert_uint_eq(calls, 3);
    ck_assert_str_eq(answer(), "{\"v\":1,\"close\":[[\"c1\",4001],[\"c1\",4001]]}");
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

/* ---- What operators ask ---- */

START_TEST(books_are_printed_beside_a_recount)
{
    ask("inspectBooks", plan_inspect_books, "{}");
    assert_contains(answer_to((const char *const[]){"9", "4", "2", "1", "2", NULL}),
                    "\"made\":9,\"acknowledged\":4,\"superseded\":2,\"ended\":1,\"counted\":2");
}
END_TEST

START_TEST(sessions_are_listed_page_by_page)
{
    ask("inspectClients", plan_inspect_clients, "{\"after\":41}");
    ck_assert(has_arg("41"));
    fake_reply(&work.call,
               "*1\r\n*9\r\n$2\r\n42\r\n$1\r\na\r\n$1\r\nu\r\n$0\r\n\r\n$9\r\ngateway.1\r\n"
               "$4\r\n1234\r\n:3\r\n:2\r\n:1\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"session\":\"42\",\"client\":\"a\",\"user\":\"u\",\"device\":\"\","
                              "\"gateway\":\"gateway.1\",\"seen\":1234,\"watched\":3,\"marks\":2,"
                              "\"openReplies\":1}],\"next\":null");
}
END_TEST

START_TEST(a_full_page_says_where_the_next_begins)
{
    struct text protocol = {0};

    text_add(&protocol, "*250\r\n");
    for (size_t i = 0; i < 250; i++)
        text_addf(&protocol, "*1\r\n$3\r\n%zu\r\n", 100 + i);
    ask("inspectClients", plan_inspect_clients, "{}");
    fake_reply(&work.call, protocol.at);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "],\"next\":349");
    text_deinit(&protocol);
}
END_TEST

#define WATCH "{\"theClassName\":\"com.app.mo.Task\",\"theClassId\":\"1\",\"theClient\":\"a\"}"

START_TEST(a_watch_is_explained)
{
    ask("inspectWatch", plan_inspect_watch, WATCH);
    ck_assert(has_arg("a") && has_arg("1") && has_arg("com.app.mo.Task"));
    fake_reply(&work.call,
               "*12\r\n$2\r\nok\r\n$17\r\ncom.app.mo.Task:1\r\n$1\r\nu\r\n$1\r\n5\r\n$1\r\nb\r\n"
               "$0\r\n\r\n$0\r\n\r\n:1\r\n*2\r\n$15\r\ncom.app.mo.Task\r\n$7\r\nno.Such\r\n:1\r\n"
               "*4\r\n$1\r\nu\r\n:5\r\n:2\r\n:33\r\n$0\r\n\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"object\":\"com.app.mo.Task:1\",\"client\":\"b\",\"gateway\":\"\","
                              "\"ended\":\"\",\"version\":5,\"removed\":false,\"watches\":true,"
                              "\"mayRead\":true,\"watchesClasses\":[\"com.app.mo.Task\"],"
                              "\"mark\":{\"kind\":\"u\",\"version\":5,\"tries\":2,");
}
END_TEST

START_TEST(a_watch_of_an_unknown_client_or_object_is_refused)
{
    ask("inspectWatch", plan_inspect_watch, WATCH);
    assert_contains(answer_to((const char *const[]){"client", NULL}), "\"errorCode\":\"-100\"");
    handler_tear_down();
    set_up();
    ask("inspectWatch", plan_inspect_watch, WATCH);
    assert_contains(answer_to((const char *const[]){"object", NULL}), "no such object");
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
    tcase_add_test(tc, books_are_printed_beside_a_recount);
    tcase_add_test(tc, sessions_are_listed_page_by_page);
    tcase_add_test(tc, a_full_page_says_where_the_next_begins);
    tcase_add_test(tc, a_watch_is_explained);
    tcase_add_test(tc, a_watch_of_an_unknown_client_or_object_is_refused);
    return unit_run_case("sync_gateways", tc);
}
