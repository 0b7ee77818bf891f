#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* Receipts, and what begins, keeps and ends a session. */

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
}

START_TEST(a_huge_receipt_is_settled_in_several_calls)
{
    struct text body = {0};
    size_t calls = 1;

    text_add(&body, "{\"classIdPairs\":[7,{\"className\":\"x\"}");
    for (size_t i = 0; i < 600; i++)
        text_addf(&body, ",{\"className\":\"com.app.mo.Task\",\"ID\":\"%zu\"}", i);
    text_add(&body, "]}");
    ck_assert_int_eq(ask("updatesReceived", plan_updates_received, body.at), WORK_CALL);
    ck_assert(has_arg("com.app.mo.Task:249"));
    ck_assert(!has_arg("com.app.mo.Task:250"));
    for (enum work_step step = WORK_CALL; step == WORK_CALL;) {
        fake_reply_strings(&work.call, (const char *const[]){NULL});
        step = work.next(&work);
        calls += step == WORK_CALL;
    }
    ck_assert_uint_eq(calls, 3);
    assert_contains(work.out[0].msg->body, "PushUpdatesReceivedResponse");
    text_deinit(&body);
}
END_TEST

START_TEST(a_refused_connect_says_so_by_a_null_client)
{
    ask("connect", plan_connect, "{\"token\":\"t\"}");
    ck_assert(!has_arg("t")); /* only its hash leaves the process */
    assert_contains(answer_to((const char *const[]){"refused", NULL}), "\"clientId\":null");
}
END_TEST

START_TEST(a_connect_is_answered_with_the_client_id)
{
    ask("connect", plan_connect, "{\"token\":\"t\"}");
    assert_contains(answer_to((const char *const[]){"ok", "9", "u1", NULL}), "\"clientId\":\"c1\"");
    ck_assert_str_eq(work.out[0].msg->user, "u1");
}
END_TEST

static const char token[] = "{\"token\":\"t\"}";
static const char pair[] = "{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}";

static const char home[] = "{\"className\":\"com.app.mo.Group\",\"ID\":\"1\"}";

START_TEST(a_refused_connect_is_an_invalid_credential_to_the_content_protocol)
{
    ask_content("connect", plan_connect, token);
    ck_assert_str_eq(answer_to((const char *const[]){"refused", NULL}),
                     "{\"type\":\"error\",\"id\":\"m1\",\"cls\":\"login\",\"status\":401,"
                     "\"data\":{\"code\":4010130,\"msg\":\"Invalid Credential\"}}");
    ck_assert_ptr_null(work.out[0].msg->user);
}
END_TEST

START_TEST(a_connect_of_the_content_protocol_looks_for_the_entry_points)
{
    ask_content("connect", plan_connect, token);
    fake_reply_strings(&work.call, (const char *const[]){"ok", "9", "u1", pair, NULL});
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert_str_eq(work.call.script->name, "entry_points");
    ck_assert(has_arg("self"));
    ck_assert(has_arg("com.app.mo.Favorites"));
    ck_assert(has_arg(home)); /* whom everybody joins, */
    ck_assert(has_arg(pair));
    assert_contains(answer_to((const char *const[]){NULL}), "\"session\":\"t\",\"config\":{");
    ck_assert_str_eq(work.out[0].msg->user, "u1");
}
END_TEST

START_TEST(who_has_no_object_joins_nothing)
{
    ask_content("connect", plan_connect, token);
    fake_reply_strings(&work.call, (const char *const[]){"ok", "9", "u1", "", NULL});
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert(has_arg("com.app.mo.Favorites"));
    ck_assert(!has_arg(home));
}
END_TEST

START_TEST(a_failing_store_is_an_internal_error_to_the_content_protocol)
{
    ask_content("connect", plan_connect, token);
    fake_reply_strings(&work.call, (const char *const[]){"ok", "9", "u1", pair, NULL});
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    fake_reply(&work.call, "-ERR away\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"code\":5000199");
}
END_TEST

START_TEST(a_hibernation_says_whether_there_was_such_a_session)
{
    ask("hibernate", plan_hibernate, "{}");
    assert_contains(answer_to((const char *const[]){"ok", "9", NULL}),
                    "HibernateResponse\",\"clientId\":\"c1\"");
    assert_contains(work.out[0].msg->body, "\"result\":true}");
    handler_tear_down();
    set_up();
    ask("hibernate", plan_hibernate, "{}");
    assert_contains(answer_to((const char *const[]){"client", NULL}), "\"result\":false}");
}
END_TEST

START_TEST(an_upgrade_names_the_gateway_that_may_wake_the_session)
{
    ck_assert_int_eq(ask("upgradeClient", plan_upgrade_client, "{\"deviceType\":\"phone\"}"),
                     WORK_CALL);
    ck_assert(has_arg("phone"));
    ck_assert(has_arg("gateway.1"));
    assert_contains(answer_to((const char *const[]){"ok", "9", NULL}), "\"result\":true}");
}
END_TEST

START_TEST(an_upgrade_of_an_unknown_client_is_refused)
{
    ask("upgradeClient", plan_upgrade_client, "{\"deviceType\":null}");
    assert_contains(answer_to((const char *const[]){"client", NULL}), "\"errorCode\":\"-100\"");
}
END_TEST

START_TEST(without_reply_to_nothing_is_published)
{
    struct text problem = {0};
    struct msg m = {.queue = "disconnect", .client = "c1", .body = "{}", .size = 2};

    ck_assert_int_eq(request_read(&work.request, operation_by_name("disconnect", 10), &m, &problem),
                     ERR_OK);
    ck_assert_int_eq(plan_disconnect(&work), WORK_CALL);
    fake_reply_strings(&work.call, (const char *const[]){"ok", "9", NULL});
    ck_assert_int_eq(work.next(&work), WORK_DONE);
    ck_assert_uint_eq(work.out_count, 0);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync sessions");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_test(tc, a_huge_receipt_is_settled_in_several_calls);
    tcase_add_test(tc, a_refused_connect_says_so_by_a_null_client);
    tcase_add_test(tc, a_connect_is_answered_with_the_client_id);
    tcase_add_test(tc, a_refused_connect_is_an_invalid_credential_to_the_content_protocol);
    tcase_add_test(tc, a_connect_of_the_content_protocol_looks_for_the_entry_points);
    tcase_add_test(tc, who_has_no_object_joins_nothing);
    tcase_add_test(tc, a_failing_store_is_an_internal_error_to_the_content_protocol);
    tcase_add_test(tc, a_hibernation_says_whether_there_was_such_a_session);
    tcase_add_test(tc, an_upgrade_names_the_gateway_that_may_wake_the_session);
    tcase_add_test(tc, an_upgrade_of_an_unknown_client_is_refused);
    tcase_add_test(tc, without_reply_to_nothing_is_published);
    return unit_run_case("sync_sessions", tc);
}
