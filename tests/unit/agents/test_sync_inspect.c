#include <string.h>

#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* What operators ask of marks and sessions. */

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
}

#define WATCH(class_name) \
    "{\"theClient\":\"c7\",\"theClassName\":\"" class_name "\",\"theClassId\":\"1\"}"

static const struct {
    const char *operation;
    work_fn *plan;
    const char *body, *answer;
} refused[] = {
    {"inspectClients", plan_inspect_clients, "{\"after\":\"x\"}", "\"errorCode\":\"-115\""},
    {"inspectWatch", plan_inspect_watch, "{}", "\"errorCode\":\"-115\""},
    {"inspectWatch", plan_inspect_watch, WATCH("no.Such"), "the model has no such class"},
    {"inspectWatch", plan_inspect_watch,
     "{\"theClassName\":\"com.app.mo.Task\",\"theClassId\":\"1\"}", "theClient"},
};

START_TEST(a_question_that_cannot_be_asked_is_answered_at_once)
{
    ck_assert_int_eq(ask(refused[_i].operation, refused[_i].plan, refused[_i].body), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, refused[_i].answer);
}
END_TEST

static const struct {
    const char *operation;
    work_fn *plan;
    const char *body, *told;
} failures[] = {
    {"inspectBooks", plan_inspect_books, "{}", "the books could not be read"},
    {"inspectClients", plan_inspect_clients, "{}", "the sessions could not be read"},
    {"inspectWatch", plan_inspect_watch, WATCH("com.app.mo.Task"), "the session could not be read"},
};

START_TEST(a_failure_of_redis_is_told)
{
    ask(failures[_i].operation, failures[_i].plan, failures[_i].body);
    fake_reply(&work.call, "-LOADING it starts\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, failures[_i].told);
}
END_TEST

/* ---- Books ---- */

START_TEST(the_pages_of_the_books_are_summed_up)
{
    ck_assert_int_eq(ask("inspectBooks", plan_inspect_books, "{}"), WORK_CALL);
    fake_reply(&work.call, "*6\r\n:700\r\n:10\r\n:4\r\n:3\r\n:1\r\n:2\r\n");
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert(has_arg("700"));
    fake_reply(&work.call, "*6\r\n:0\r\n:5\r\n:0\r\n:0\r\n:1\r\n:4\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body,
                    "\"made\":15,\"acknowledged\":4,\"superseded\":3,\"ended\":2,\"counted\":6}");
}
END_TEST

/* ---- Clients ---- */

static void find_sessions(size_t count)
{
    struct text protocol = {0};

    text_addf(&protocol, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++)
        text_add(&protocol,
                 "*10\r\n$2\r\n77\r\n$2\r\nc7\r\n$1\r\nu\r\n$0\r\n\r\n$3\r\n::1\r\n$4\r\n1234\r\n"
                 ":1\r\n:2\r\n:3\r\n:4\r\n");
    fake_reply(&work.call, protocol.at);
    text_deinit(&protocol);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
}

START_TEST(each_session_is_an_object)
{
    ask("inspectClients", plan_inspect_clients, "{}");
    find_sessions(2);
    assert_contains(
        work.out[0].msg->body,
        "\"clients\":[{\"session\":77,\"client\":\"c7\",\"user\":\"u\",\"gateway\":\"\","
        "\"address\":\"::1\",\"since\":1234,\"objects\":1,\"classes\":2,\"marks\":3,"
        "\"openReplies\":4},{");
    assert_contains(work.out[0].msg->body, "}],\"next\":null}");
}
END_TEST

START_TEST(a_full_page_of_sessions_leads_to_the_next)
{
    ask("inspectClients", plan_inspect_clients, "{\"after\":76}");
    ck_assert(has_arg("76"));
    ck_assert(has_arg("250"));
    find_sessions(250);
    assert_contains(work.out[0].msg->body, "}],\"next\":77}");
}
END_TEST

START_TEST(no_sessions_are_an_empty_list)
{
    ask("inspectClients", plan_inspect_clients, "{}");
    find_sessions(0);
    assert_contains(work.out[0].msg->body, "\"clients\":[],\"next\":null}");
}
END_TEST

/* ---- Watch ---- */

static const struct {
    const char *outcome, *told;
} unknown[] = {
    {"client", "no session has this client id"},
    {"object", "there is no such object"},
};

START_TEST(who_and_what_are_not_known_are_told)
{
    ask("inspectWatch", plan_inspect_watch, WATCH("com.app.mo.Task"));
    assert_contains(answer_to((const char *const[]){unknown[_i].outcome, NULL}), unknown[_i].told);
}
END_TEST

START_TEST(an_object_may_be_of_each_class_below_the_one_that_is_given)
{
    ck_assert_int_eq(ask("inspectWatch", plan_inspect_watch, WATCH("com.app.mo.Item")), WORK_CALL);
    ck_assert(has_arg("c7"));
    ck_assert(has_arg("com.app.mo.Task"));
    ck_assert(has_arg("com.app.mo.Note"));
    ck_assert(!has_arg("com.app.mo.Item"));
}
END_TEST

#define KNOWN                                                                       \
    "*6\r\n$2\r\nok\r\n*3\r\n$17\r\ncom.app.mo.Task:1\r\n$1\r\n5\r\n:0\r\n"         \
    "*8\r\n$2\r\nc8\r\n$9\r\ngateway.1\r\n$0\r\n\r\n:1\r\n:0\r\n:1\r\n:1\r\n:0\r\n" \
    "*3\r\n$15\r\ncom.app.mo.Item\r\n$15\r\ncom.app.mo.Note\r\n$7\r\nno.Such\r\n"

static const struct {
    const char *mark, *told;
} marks[] = {
    {"*0\r\n*0\r\n", "\"mark\":null,\"childrenMark\":null}"},
    {"*5\r\n:0\r\n:5\r\n:2\r\n:1\r\n:900\r\n*5\r\n:1\r\n:6\r\n:0\r\n:0\r\n:0\r\n",
     "\"mark\":{\"removal\":false,\"version\":5,\"tries\":2,\"newestSent\":true,\"dueInMs\":900},"
     "\"childrenMark\":{\"removal\":true,\"version\":6,\"tries\":0,\"newestSent\":false,"
     "\"dueInMs\":0}}"},
};

START_TEST(what_is_known_of_an_object_and_a_session_is_told)
{
    _cleanup_(text_deinitp) struct text protocol = {0};

    ask("inspectWatch", plan_inspect_watch, WATCH("com.app.mo.Task"));
    text_addf(&protocol, KNOWN "%s", marks[_i].mark);
    fake_reply(&work.call, protocol.at);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(
        work.out[0].msg->body,
        "\"object\":\"com.app.mo.Task:1\",\"version\":5,\"removed\":false,"
        "\"client\":\"c8\",\"gateway\":\"gateway.1\",\"ended\":\"\","
        "\"sendsReceipts\":true,\"watches\":false,\"watchesChildren\":true,"
        "\"mayRead\":true,\"isBeingTold\":false,\"watchesClasses\":[\"com.app.mo.Item\"],");
    assert_contains(work.out[0].msg->body, marks[_i].told);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync inspect");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_loop_test(tc, a_question_that_cannot_be_asked_is_answered_at_once, 0,
                        ARRAY_SIZE(refused));
    tcase_add_loop_test(tc, a_failure_of_redis_is_told, 0, ARRAY_SIZE(failures));
    tcase_add_test(tc, the_pages_of_the_books_are_summed_up);
    tcase_add_test(tc, each_session_is_an_object);
    tcase_add_test(tc, a_full_page_of_sessions_leads_to_the_next);
    tcase_add_test(tc, no_sessions_are_an_empty_list);
    tcase_add_loop_test(tc, who_and_what_are_not_known_are_told, 0, ARRAY_SIZE(unknown));
    tcase_add_test(tc, an_object_may_be_of_each_class_below_the_one_that_is_given);
    tcase_add_loop_test(tc, what_is_known_of_an_object_and_a_session_is_told, 0, ARRAY_SIZE(marks));
    return unit_run_case("sync_inspect", tc);
}
