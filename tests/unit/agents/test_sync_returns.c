#include <check.h>

#include "agents/runtime/control.h"
#include "agents/sync/operations.h"
#include "agents/sync/sessions/keep.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* Returns: what is told before the ConnectResponse; requests that stay open. */

#define REQUEST "{\"token\":\"t\",\"existingClientId\":\"c0\"}"

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
}

/* ---- Replies of reconnect.lua ---- */

static void add(struct text *out, const char *string)
{
    text_addf(out, "$%zu\r\n%s\r\n", strlen(string), string);
}

/* Two lists of one item each, as pairs. */
static void add_pair(struct text *out, const char *a, const char *b)
{
    text_add(out, "*1\r\n*2\r\n");
    add(out, a);
    add(out, b);
}

static enum work_step take_step(bool more, const char *went)
{
    struct text r = {0};

    text_add(&r, "*9\r\n");
    add(&r, "ok");
    add(&r, "9");
    add(&r, went);
    add(&r, *went ? "gateway.2" : "");
    text_addf(&r, ":%d\r\n*1\r\n*3\r\n", more);
    add(&r, "com.app.mo.Task:t1");
    add(&r, "5");
    text_add(&r, "*4\r\n");
    add(&r, "@v");
    add(&r, "5");
    add(&r, "title");
    add(&r, "5 1000 \"a\"");
    add_pair(&r, "com.app.mo.Task:t2", "6");
    add_pair(&r, "m7", "2000 c0 findById\n{\"x\":1}");
    text_add(&r, ":77\r\n");
    fake_reply(&work.call, r.at);
    text_deinit(&r);
    return work.next(&work);
}

static const struct msg *out(size_t i)
{
    ck_assert_uint_gt(work.out_count, i);
    return work.out[i].msg;
}

/* ---- Returns ---- */

START_TEST(a_return_names_the_newest_client_ids)
{
    struct text body = {0};

    text_add(&body, "{\"token\":\"t\",\"existingClientId\":\"last\",\"existingClientIds\":[7");
    for (size_t i = 1; i < 40; i++)
        text_addf(&body, ",\"id%zu\"", i);
    text_add(&body, "]}");
    ck_assert_int_eq(ask("reconnect", plan_reconnect, body.at), WORK_CALL);
    ck_assert(!has_arg("t")); /* only its hash leaves the process */
    ck_assert(has_arg("33") && has_arg("last") && has_arg("id39") && has_arg("id8"));
    ck_assert(!has_arg("id7"));
    text_deinit(&body);
}
END_TEST

static const char *const malformed[] = {"{}", "{\"token\":7}", "{\"token\":null}"};

START_TEST(a_return_without_a_token_is_refused)
{
    ck_assert_int_eq(ask("reconnect", plan_reconnect, malformed[_i]), WORK_PUBLISH);
    assert_contains(answer(), "\"errorCode\":\"-115\"");
}
END_TEST

static const char *const refusals[][2] = {
    {"login", "the login is unknown or has ended"},
    {"unknown", "no such session is known"},
    {"taken over", "another connection has taken the session over"},
    {"gone", "the connection has ended"},
    {"idle for too long", "the session has ended: idle for too long"},
};

START_TEST(a_refused_return_says_why)
{
    const char *said;

    ask("reconnect", plan_reconnect, REQUEST);
    said = answer_to((const char *const[]){"refused", refusals[_i][0], NULL});
    assert_contains(said, "ConnectResponse");
    assert_contains(said, "\"clientId\":null");
    assert_contains(said, refusals[_i][1]);
    ck_assert_ptr_null(work.out[0].msg->user);
}
END_TEST

START_TEST(a_return_tells_what_was_missed_before_it_is_answered)
{
    ask("reconnect", plan_reconnect, REQUEST);
    ck_assert_int_eq(take_step(false, "c0"), WORK_PUBLISH);
    ck_assert_uint_eq(work.out_count, 3);
    ck_assert_str_eq(out(0)->queue, "gateway.2");
    ck_assert_str_eq(out(0)->type, "control");
    ck_assert_str_eq(out(0)->client, "c0");
    ck_assert_int_eq(out(0)->code, CLOSE_TAKEN_OVER);
    ck_assert_str_eq(out(1)->queue, "gateway.1");
    assert_contains(out(1)->body, "{\"to\":[\"c1\"],\"kind\":\"u\","
                                  "\"of\":[[\"com.app.mo.Task:t1\",77]]");
    assert_contains(out(2)->body, "\"kind\":\"d\",\"of\":[[\"com.app.mo.Task:t2\",77]]");
    ck_assert_str_eq(repeated.at, "findById c0 m7 gateway.1 c1 {\"x\":1}\n");

    forget_answer();
    ck_assert_int_eq(work.next(&work), WORK_CALL); /* the look */
    ck_assert(has_arg("com.app.mo.Task:t1") && has_arg("5") && has_arg("6") && has_arg("9"));
    ck_assert_int_eq(work.next(&work), WORK_JOIN);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "ConnectResponse\",\"clientId\":\"c1\"");
    ck_assert_str_eq(out(0)->user, "u1");
    ck_assert_ptr_null(out(0)->reason);
}
END_TEST

START_TEST(a_return_with_more_to_tell_is_answered_with_a_part)
{
    ask("reconnect", plan_reconnect, REQUEST);
    ck_assert_int_eq(take_step(true, ""), WORK_PUBLISH);
    ck_assert_str_eq(out(0)->reason, "more");
    ck_assert_str_eq(out(0)->correlation_id, "5");
    assert_contains(answer(), "{\"v\":1,\"groups\":[{\"to\":[\"c1\"],\"kind\":\"u\"");
    assert_contains(answer(), "]}},{\"to\":[\"c1\"],\"kind\":\"d\"");
    forget_answer();
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert(has_arg("com.app.mo.Task:t2"));
    ck_assert_int_eq(work.next(&work), WORK_DONE);
}
END_TEST

START_TEST(a_failed_return_is_answered)
{
    ask("reconnect", plan_reconnect, REQUEST);
    fake_reply(&work.call, "-ERR boom\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"errorCode\":\"0\"");
}
END_TEST

/* ---- Open requests ---- */

START_TEST(a_request_is_kept_before_it_is_carried_out)
{
    agent.proc.settings.sync_max_open_replies = 256;
    agent.proc.settings.sync_max_open_bytes = 4096;
    ck_assert_int_eq(ask("findById", plan_keep, "{\"theClassId\":\"1\"}"), WORK_CALL);
    ck_assert(has_arg("c1") && has_arg("m1") && has_arg("256") && has_arg("4096"));
    ck_assert(has_arg("0 1000 c1 findById\n{\"theClassId\":\"1\"}"));
    ck_assert_uint_eq(begun, 0);
    fake_reply_strings(&work.call, (const char *const[]){"ok", NULL});
    ck_assert_int_eq(work.next(&work), WORK_DONE);
    ck_assert_uint_eq(begun, 1);
}
END_TEST

START_TEST(a_request_that_cannot_be_kept_is_carried_out_all_the_same)
{
    ask("findById", plan_keep, "{}");
    fake_reply(&work.call, "-ERR boom\r\n");
    ck_assert_int_eq(work.next(&work), WORK_DONE);
    ck_assert_uint_eq(begun, 1);
}
END_TEST

static const char *const unreadable[] = {"", "1000 c0", "1000 c0 findById", "x y z\n{}"};

START_TEST(a_kept_request_that_cannot_be_read_is_left_out)
{
    const struct push_to to = {"c1", "gateway.1"};

    keep_answer_again(&work, "m1", unreadable[_i], &to);
    ck_assert_uint_eq(repeated.size, 0);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync returns");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_test(tc, a_return_names_the_newest_client_ids);
    tcase_add_loop_test(tc, a_return_without_a_token_is_refused, 0, ARRAY_SIZE(malformed));
    tcase_add_loop_test(tc, a_refused_return_says_why, 0, ARRAY_SIZE(refusals));
    tcase_add_test(tc, a_return_tells_what_was_missed_before_it_is_answered);
    tcase_add_test(tc, a_return_with_more_to_tell_is_answered_with_a_part);
    tcase_add_test(tc, a_failed_return_is_answered);
    tcase_add_test(tc, a_request_is_kept_before_it_is_carried_out);
    tcase_add_test(tc, a_request_that_cannot_be_kept_is_carried_out_all_the_same);
    tcase_add_loop_test(tc, a_kept_request_that_cannot_be_read_is_left_out, 0,
                        ARRAY_SIZE(unreadable));
    return unit_run_case("sync_returns", tc);
}
