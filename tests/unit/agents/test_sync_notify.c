#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "agents/sync/content/names.h"
#include "agents/sync/content/notify.h"
#include "agents/sync/operations.h"
#include "common/base/clock.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* What the content protocol has of notifications: wishes, blocks, answers to these. */

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
    agent.proc.settings.sync_max_subscriptions = 777;
    agent.proc.settings.sync_max_block = 99;
    agent.proc.settings.sync_job_lease_ms = 5000;
}

static enum work_step notify(const char *cls, work_fn *plan, const char *data)
{
    struct text frame = {0};
    enum work_step step;

    text_addf(&frame, "{\"type\":\"notify\",\"cls\":\"%s\"%s%s}", cls, *data ? ",\"data\":" : "",
              data);
    step = ask_content(cls, plan, frame.at);
    text_deinit(&frame);
    return step;
}

/* In `expected`, LEASE stands for a time that has to lie ahead. */
#define LEASE "<lease>"

static void assert_args(const char *expected)
{
    const char *lease = strstr(expected, LEASE);
    char *args = all_args(), *end = args;

    if (lease) {
        ck_assert(!strncmp(args, expected, (size_t)(lease - expected)));
        ck_assert_int_gt(strtoll(args + (lease - expected), &end, 10), clock_wall_ms());
    }
    ck_assert_str_eq(end, lease ? lease + strlen(LEASE) : expected);
    free(args);
}

/* ---- subscribe, revoke ---- */

START_TEST(wishes_are_noted_with_children_where_the_class_has_them)
{
    static const char keys[] = "[{\"type\":\"user\",\"id\":5},{\"type\":\"unit\",\"id\":1},"
                               "{\"id\":[7,\"x\"],\"type\":\"msg\"}]";
    static const char *const ok[] = {"ok", "1", NULL};

    ck_assert_int_eq(notify("subscribe", plan_subscribe, keys), WORK_CALL);
    assert_args("c1|1000|" LEASE
                "|0|777|0|com.app.mo.Person:5|com.app.mo.Group:1|+com.app.mo.Group:1|"
                "com.app.mo.Message:[7,\"x\"]|");
    ck_assert_str_eq(answer_to(ok), "");
    forget_answer();
}
END_TEST

START_TEST(wishes_are_taken_back)
{
    ck_assert_int_eq(notify("revoke", plan_revoke, "[{\"type\":\"user\",\"id\":5}]"), WORK_CALL);
    assert_args("c1|1000|" LEASE "|1|777|0|com.app.mo.Person:5|");
}
END_TEST

START_TEST(of_what_cannot_be_nothing_is_noted)
{
    ck_assert_int_eq(notify("subscribe", plan_subscribe,
                            "[{\"type\":\"nothing\",\"id\":5},{\"type\":\"user\",\"id\":\"x\"}]"),
                     WORK_PUBLISH);
    ck_assert_str_eq(answer(), "");
}
END_TEST

START_TEST(an_empty_list_is_a_wish_for_nothing)
{
    ck_assert_int_eq(notify("subscribe", plan_subscribe, "[]"), WORK_PUBLISH);
    ck_assert_str_eq(answer(), "");
}
END_TEST

START_TEST(many_keys_go_in_several_calls)
{
    static const char *const ok[] = {"ok", "1", NULL};
    struct text keys = {0};

    for (int i = 0; i < 251; i++)
        text_addf(&keys, "%s{\"type\":\"user\",\"id\":%d}", i ? "," : "[", i);
    text_add(&keys, "]");
    ck_assert_int_eq(notify("subscribe", plan_subscribe, keys.at), WORK_CALL);
    ck_assert(has_arg("com.app.mo.Person:249") && !has_arg("com.app.mo.Person:250"));
    fake_reply_strings(&work.call, ok);
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("c1|1000|" LEASE "|0|777|0|com.app.mo.Person:250|");
    ck_assert_str_eq(answer_to(ok), "");
    text_deinit(&keys);
}
END_TEST

static const struct {
    const char *data, *told;
} malformed[] = {
    {"", "data: expected an array of keys"},
    {"null", "data: expected an array of keys, found null"},
    {"{\"type\":\"user\",\"id\":5}", "data: expected an array of keys, found object"},
    {"[{\"type\":\"user\",\"id\":5},7]", "data[1]: expected an object"},
    {"[{\"type\":\"user\",\"id\":null}]", "data[0].id"},
    {"[{\"type\":\"user\",\"id\":1.5}]", "data[0].id"},
    {"[{\"type\":\"user\",\"id\":[]}]", "data[0].id"},
    {"[{\"type\":7,\"id\":1}]", "data[0].type"},
    {"[{\"id\":1}]", "data[0].type"},
};

START_TEST(what_is_no_list_of_keys_is_refused_and_nothing_is_noted)
{
    ck_assert_int_eq(notify("subscribe", plan_subscribe, malformed[_i].data), WORK_PUBLISH);
    assert_contains(answer(), "\"type\":\"error\"");
    assert_contains(answer(), "\"code\":4000800");
    assert_contains(answer(), malformed[_i].told);
    forget_answer();
    ck_assert_int_eq(notify("revoke", plan_revoke, malformed[_i].data), WORK_PUBLISH);
    assert_contains(answer(), "\"code\":4000900");
}
END_TEST

START_TEST(what_the_script_refuses_has_its_code)
{
    static const char *const full[] = {"full", NULL}, *const client[] = {"client", NULL};

    (void)notify("subscribe", plan_subscribe, "[{\"type\":\"user\",\"id\":5}]");
    assert_contains(answer_to(full), "\"code\":4290800");
    forget_answer();
    (void)notify("revoke", plan_revoke, "[{\"type\":\"user\",\"id\":5}]");
    assert_contains(answer_to(client), "\"code\":4010910");
}
END_TEST

/* ---- Blocks ---- */

START_TEST(blocks_go_out_in_one_message_for_each_gateway)
{
    fake_reply(&work.call, "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
    notify_sessions(&work, work.call.reply);
    ck_assert_uint_eq(spawned, 1);
    ck_assert_int_eq(begin_spawned(), WORK_CALL);
    ck_assert(has_arg("99") && has_arg("2"));
    fake_reply(&work.call, "*3\r\n:2\r\n:42\r\n*3\r\n"
                           "*3\r\n$2\r\nc1\r\n$2\r\ng1\r\n*1\r\n"
                           "*3\r\n$19\r\ncom.app.mo.Person:5\r\n:1\r\n:0\r\n"
                           "*3\r\n$2\r\nc2\r\n$2\r\ng2\r\n*0\r\n"
                           "*3\r\n$2\r\nc3\r\n$2\r\ng1\r\n*3\r\n"
                           "*3\r\n$18\r\ncom.app.mo.Group:1\r\n:1\r\n:1\r\n"
                           "*3\r\n$12\r\ngone.Class:1\r\n:1\r\n:1\r\n"
                           "*3\r\n$20\r\ncom.app.mo.Task:\"a\"\\\r\n:0\r\n:1\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ck_assert_uint_eq(work.out_count, 2);
    ck_assert_str_eq(work.out[0].msg->queue, "g1");
    ck_assert_str_eq(work.out[0].msg->type, "push");
    ck_assert_str_eq(
        work.out[0].msg->body,
        "{\"v\":1,\"groups\":[{\"to\":[\"c1\"],\"kind\":\"b\",\"of\":[],\"body\":"
        "{\"type\":\"request\",\"id\":\"42\",\"cls\":\"changed\",\"data\":["
        "{\"key\":{\"type\":\"user\",\"id\":5},\"content\":true,\"children\":false}]}},"
        "{\"to\":[\"c3\"],\"kind\":\"b\",\"of\":[],\"body\":"
        "{\"type\":\"request\",\"id\":\"42\",\"cls\":\"changed\",\"data\":["
        "{\"key\":{\"type\":\"unit\",\"id\":1},\"content\":true,\"children\":true},"
        "{\"key\":{\"type\":\"task\",\"id\":\"\\\"a\\\"\\\\\"},\"content\":false,\"children\":true}"
        "]}}]}");
    ck_assert_str_eq(work.out[1].msg->queue, "g2");
    forget_answer();
    ck_assert_int_eq(work.next(&work), WORK_DONE);
}
END_TEST

START_TEST(sessions_that_no_call_has_handled_are_told_by_the_next)
{
    fake_reply(&work.call, "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$2\r\n33\r\n");
    notify_sessions(&work, work.call.reply);
    ck_assert_int_eq(begin_spawned(), WORK_CALL);
    fake_reply(&work.call, "*3\r\n:2\r\n:42\r\n*0\r\n");
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert(has_arg("33") && !has_arg("2"));
    fake_reply(&work.call, "-ERR away\r\n");
    ck_assert_int_eq(work.next(&work), WORK_DONE);
}
END_TEST

START_TEST(one_session_is_told)
{
    notify_session(&work, "7");
    ck_assert_int_eq(begin_spawned(), WORK_CALL);
    ck_assert(has_arg("7"));
    fake_reply(&work.call, "*3\r\n:1\r\n:0\r\n*0\r\n");
    ck_assert_int_eq(work.next(&work), WORK_DONE);
}
END_TEST

START_TEST(nobody_is_told_by_no_work)
{
    fake_reply(&work.call, "*0\r\n");
    notify_sessions(&work, work.call.reply);
    ck_assert_uint_eq(spawned, 0);
}
END_TEST

/* When more are due than one look takes, the next look follows at once. */
START_TEST(the_poll_keeps_up)
{
    struct text due = {0};

    text_add(&due, "*4\r\n*0\r\n*0\r\n*250\r\n");
    for (int i = 0; i < 250; i++)
        text_add(&due, "$1\r\n7\r\n");
    text_add(&due, "*0\r\n");
    ck_assert_int_eq(plan_poll(&work), WORK_CALL);
    ck_assert(has_arg("250"));
    fake_reply(&work.call, due.at);
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert_uint_eq(spawned, 1);
    fake_reply(&work.call, "*4\r\n*0\r\n*0\r\n*1\r\n$1\r\n7\r\n*0\r\n");
    ck_assert_int_eq(work.next(&work), WORK_DONE);
    ck_assert_uint_eq(spawned, 2);
    text_deinit(&due);
}
END_TEST

/* ---- reconnect ---- */

START_TEST(a_return_is_answered_and_then_told_what_was_missed)
{
    static const char *const ok[] = {"ok", "7", "c0", "gateway.9", "ada", "5000", NULL};

    ck_assert_int_eq(ask_content("reconnect", plan_reconnect, "{\"token\":\"secret\"}"), WORK_CALL);
    ck_assert(has_arg("c1") && has_arg("gateway.1") && has_arg("content") && !has_arg("u1"));
    fake_reply_strings(&work.call, ok);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ck_assert_uint_eq(work.out_count, 2);
    ck_assert_str_eq(work.out[0].msg->queue, "gateway.9");
    ck_assert_str_eq(work.out[0].msg->client, "c0");
    ck_assert_int_eq(work.out[0].msg->code, 4001);
    ck_assert_str_eq(work.out[1].msg->user, "ada");
    ck_assert_str_eq(work.out[1].msg->body,
                     "{\"type\":\"result\",\"id\":\"m1\",\"cls\":\"reconnect\",\"status\":200}");
    ck_assert_uint_eq(spawned, 1); /* the look at who is online */
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("7|5000|");
    ck_assert_int_eq(work.next(&work), WORK_DONE);
    ck_assert_uint_eq(spawned, 2);
    ck_assert_int_eq(begin_spawned(), WORK_CALL);
    ck_assert(has_arg("7"));
}
END_TEST

START_TEST(a_return_that_is_refused_says_so)
{
    static const char *const refused[] = {"refused", "unknown", NULL};

    (void)ask_content("reconnect", plan_reconnect, "{\"token\":\"secret\"}");
    assert_contains(answer_to(refused), "\"code\":4010220,\"msg\":\"Unknown Session\"");
    ck_assert_ptr_null(work.out[0].msg->user);
    forget_answer();
    (void)ask_content("reconnect", plan_reconnect, "{\"token\":\"secret\"}");
    fake_reply(&work.call, "-ERR away\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"code\":5000299");
    forget_answer();
    ck_assert_int_eq(ask_content("reconnect", plan_reconnect, "{\"token\":7}"), WORK_PUBLISH);
    assert_contains(answer(), "\"code\":4000200");
}
END_TEST

/* ---- changedReceived ---- */

START_TEST(answers_are_settled_and_who_can_be_told_of_more_is)
{
    ck_assert_int_eq(ask("changedReceived", plan_changed_received,
                         "{\"receipts\":[[\"c1\",42],7,[\"c2\"],[\"c3\",43]]}"),
                     WORK_CALL);
    ck_assert(has_arg("c1") && has_arg("42") && has_arg("c3") && has_arg("43"));
    ck_assert(!has_arg("c2"));
    fake_reply(&work.call, "*2\r\n:3\r\n*1\r\n$1\r\n7\r\n");
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert_uint_eq(spawned, 1);
    ck_assert(!has_arg("c1") && has_arg("c3"));
    fake_reply(&work.call, "*2\r\n:1\r\n*0\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ck_assert_uint_eq(spawned, 1);
}
END_TEST

START_TEST(what_redis_does_not_settle_is_said)
{
    (void)ask("changedReceived", plan_changed_received, "{\"receipts\":[[\"c1\",42]]}");
    fake_reply(&work.call, "-ERR away\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"errorCode\":\"0\"");
}
END_TEST

/* ---- Names ---- */

START_TEST(names_are_handled_from_the_beginning)
{
    struct names names = {0};
    size_t at = 0;

    ck_assert_ptr_null(names_next(&names, &at));
    names_add(&names, "a");
    names_add(&names, "");
    names_add(&names, "bc");
    ck_assert_str_eq(names_next(&names, &at), "a");
    ck_assert_str_eq(names_next(&names, &at), "");
    ck_assert_str_eq(names_next(&names, &at), "bc");
    ck_assert_ptr_null(names_next(&names, &at));
    names_handled(&names, 2);
    at = names.handled;
    ck_assert_str_eq(names_next(&names, &at), "bc");
    names_handled(&names, 250);
    ck_assert_uint_eq(names.handled, names.all.size);
    names_deinit(&names);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("sync notify");

    tcase_add_checked_fixture(c, set_up, handler_tear_down);
    tcase_add_test(c, wishes_are_noted_with_children_where_the_class_has_them);
    tcase_add_test(c, wishes_are_taken_back);
    tcase_add_test(c, of_what_cannot_be_nothing_is_noted);
    tcase_add_test(c, an_empty_list_is_a_wish_for_nothing);
    tcase_add_test(c, many_keys_go_in_several_calls);
    tcase_add_loop_test(c, what_is_no_list_of_keys_is_refused_and_nothing_is_noted, 0,
                        ARRAY_SIZE(malformed));
    tcase_add_test(c, what_the_script_refuses_has_its_code);
    tcase_add_test(c, blocks_go_out_in_one_message_for_each_gateway);
    tcase_add_test(c, sessions_that_no_call_has_handled_are_told_by_the_next);
    tcase_add_test(c, one_session_is_told);
    tcase_add_test(c, nobody_is_told_by_no_work);
    tcase_add_test(c, the_poll_keeps_up);
    tcase_add_test(c, a_return_is_answered_and_then_told_what_was_missed);
    tcase_add_test(c, a_return_that_is_refused_says_so);
    tcase_add_test(c, answers_are_settled_and_who_can_be_told_of_more_is);
    tcase_add_test(c, what_redis_does_not_settle_is_said);
    tcase_add_test(c, names_are_handled_from_the_beginning);
    return unit_run_case("sync_notify", c);
}
