#include <string.h>

#include <check.h>

#include "agents/sync/operations.h"
#include "common/protocol/content.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* What is refused, and the reads of one object. */

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
}

#define TASK(members) "{\"theObject\":{\"cn\":\"com.app.mo.Task\"" members "}}"

/* ---- What is refused before Redis is asked ---- */

static const struct {
    const char *operation;
    work_fn *plan;
    const char *body, *answer;
} refused[] = {
    {"findById", plan_find_by_id, "{}", "\"errorCode\":\"-115\""},
    {"findById", plan_find_by_id, "{\"theClassName\":\"no.Such\",\"theClassId\":\"1\"}",
     "\"errorCode\":\"-104\""},
    {"findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Task\",\"theClassId\":7}",
     "theClassId: expected a string, found number"},
    {"findByExample", plan_find_by_example, "{}", "\"errorCode\":\"-115\""},
    {"findByExample", plan_find_by_example, TASK(",\"done\":7"),
     "theObject.done: expected a boolean"},
    {"findUnique", plan_find_unique, "{\"theObject\":{\"cn\":\"no.Such\"}}",
     "\"errorCode\":\"-104\""},
    {"createObject", plan_create_object, "{}", "\"errorCode\":\"-115\""},
    {"createObject", plan_create_object, "{\"theObject\":{\"cn\":7}}", "\"errorCode\":\"-115\""},
    {"createObject", plan_create_object, "{\"theObject\":{\"cn\":\"no.Such\"}}",
     "\"errorCode\":\"-104\""},
    {"createObject", plan_create_object, "{\"theObject\":{\"cn\":\"com.app.mo.Item\"}}",
     "\"errorCode\":\"-104\""},
    {"createObject", plan_create_object, TASK(",\"ID\":\"1\",\"nope\":1"), "\"result\":false"},
    {"createObject", plan_create_object, TASK(",\"ID\":\"1\",\"done\":7"),
     "theObject.done: expected a boolean"},
    {"createObject", plan_create_object, TASK(",\"done\":true,\"done\":true"), "\"result\":false"},
    {"createObject", plan_create_object,
     "{\"theObject\":{\"cn\":\"com.app.mo.Group\",\"ID\":\"7\"}}", "made by the server"},
    {"createObject", plan_create_object, "{\"theObject\":{\"cn\":\"com.app.mo.Message\"}}",
     "made as children"},
    {"putObject", plan_put_object, TASK(",\"done\":true"), "theObject.ID"},
    {"putObject", plan_put_object,
     "{\"putTimestamp\":\"now\",\"theObject\":{\"cn\":\"com.app.mo.Task\",\"ID\":\"1\"}}",
     "putTimestamp"},
    {"putObject", plan_put_object, TASK(",\"ID\":\"1\",\"priority\":1.5"), "\"result\":false"},
    {"removeObject", plan_remove_object, "{}", "\"errorCode\":\"-115\""},
    {"removeObject", plan_remove_object,
     "{\"removePair\":{\"className\":\"no.Such\",\"ID\":\"1\"}}", "\"errorCode\":\"-104\""},
    {"updatesReceived", plan_updates_received, "{\"classIdPairs\":7}", "\"errorCode\":\"-115\""},
    {"connect", plan_connect, "{\"clientId\":\"c1\"}", "\"errorCode\":\"-115\""},
    {"upgradeClient", plan_upgrade_client, "{\"deviceType\":7}", "\"errorCode\":\"-115\""},
};

START_TEST(a_request_that_cannot_be_served_is_answered_at_once)
{
    ck_assert_int_eq(ask(refused[_i].operation, refused[_i].plan, refused[_i].body), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, refused[_i].answer);
    assert_contains(work.out[0].msg->body, "\"correspondingMessageId\":\"m1\"");
}
END_TEST

START_TEST(an_object_over_the_size_limit_is_refused)
{
    struct text body = {0};

    text_add(&body, "{\"theObject\":{\"cn\":\"com.app.mo.Task\",\"ID\":\"1\",\"title\":\"");
    while (body.size < 1100)
        text_add_char(&body, 'x');
    text_add(&body, "\"}}");
    ck_assert_int_eq(ask("createObject", plan_create_object, body.at), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "expected at most 1000 bytes");
    text_deinit(&body);
}
END_TEST

/* ---- findById ---- */

START_TEST(a_read_by_a_parent_class_tries_every_concrete_class)
{
    ck_assert_int_eq(ask("findById", plan_find_by_id,
                         "{\"theClassName\":\"com.app.mo.Item\",\"theClassId\":\"1\"}"),
                     WORK_CALL);
    ck_assert(has_arg("com.app.mo.Task"));
    ck_assert(has_arg("com.app.mo.Note"));
    ck_assert(!has_arg("com.app.mo.Item"));
}
END_TEST

START_TEST(what_is_found_is_printed_whole_in_the_models_order)
{
    ask("findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Note\",\"theClassId\":\"n\"}");
    fake_reply(&work.call,
               "*3\r\n$2\r\nok\r\n$1\r\n9\r\n*2\r\n$17\r\ncom.app.mo.Note:n\r\n"
               "*4\r\n$2\r\n@v\r\n$1\r\n3\r\n$4\r\nbody\r\n$16\r\n3 1000 [1.10,{}]\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body,
                    "\"result\":{\"cn\":\"com.app.mo.Note\",\"ID\":\"n\",\"title\":null,"
                    "\"text\":null,\"created\":null,\"owner\":null,\"body\":[1.10,{}]}}");
    /* The look for something newer is ready. */
    ck_assert(has_arg("HGET"));
    ck_assert(has_arg("{o:com.app.mo.Note:n}"));
}
END_TEST

static const struct {
    const char *protocol;
    bool again;
} newest_replies[] = {
    {"$1\r\n3\r\n", false}, /* what we said is still the newest */
    {"$1\r\n4\r\n", true},
    {"$-1\r\n", false}, /* even its tombstone is gone */
};

static enum work_step reply_taken(void)
{
    forget_answer();
    return work.next(&work);
}

START_TEST(a_reply_that_was_overtaken_is_said_again)
{
    ask("findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Note\",\"theClassId\":\"n\"}");
    fake_reply(&work.call, "*3\r\n$2\r\nok\r\n$1\r\n9\r\n*2\r\n$17\r\ncom.app.mo.Note:n\r\n"
                           "*2\r\n$2\r\n@v\r\n$1\r\n3\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ck_assert_int_eq(reply_taken(), WORK_CALL);
    fake_reply(&work.call, newest_replies[_i].protocol);
    ck_assert_int_eq(work.next(&work), newest_replies[_i].again ? WORK_CALL : WORK_DONE);
    if (newest_replies[_i].again) {
        ck_assert(has_arg("com.app.mo.Note:n"));
        ck_assert(has_arg("3"));
        ck_assert(has_arg("9"));
    }
}
END_TEST

START_TEST(what_is_not_found_is_null)
{
    ask("findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Note\",\"theClassId\":\"n\"}");
    assert_contains(answer_to((const char *const[]){"ok", "9", NULL}), "\"result\":null}");
}
END_TEST

START_TEST(an_unknown_client_is_told_so)
{
    ask("findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Note\",\"theClassId\":\"n\"}");
    assert_contains(answer_to((const char *const[]){"client", NULL}), "\"errorCode\":\"-100\"");
}
END_TEST

/* ---- getAccessor, getHistory ---- */

#define ABOUT(class_name) "{\"theClassName\":\"" class_name "\",\"theClassId\":\"n\""

/* By any handler: the client's protocol says how. */
START_TEST(a_client_of_the_content_protocol_is_refused_with_an_error_frame)
{
    ck_assert_int_eq(ask_content("reconnect", plan_find_by_id, "{}"), WORK_PUBLISH);
    ck_assert_str_eq(answer(), "{\"type\":\"error\",\"id\":\"m1\",\"cls\":\"reconnect\","
                               "\"status\":400,\"data\":{\"code\":4000200,\"msg\":"
                               "\"Format Error: theClassName: expected a string, found absent\"}}");
}
END_TEST

START_TEST(a_result_of_the_content_protocol_echoes_id_and_class)
{
    struct text data = {0};

    text_add(&data, "[1]");
    ask_content("get_content", plan_find_by_id, "{}");
    forget_answer();
    ck_assert_int_eq(work_content_result(&work, 206, &data, NULL), WORK_PUBLISH);
    ck_assert_str_eq(answer(), "{\"type\":\"result\",\"id\":\"m1\",\"cls\":\"get_content\","
                               "\"status\":206,\"data\":[1]}");
    forget_answer();
    ck_assert_int_eq(work_content_error(&work, 409, CONTENT_DENIED, "Version Conflict"),
                     WORK_PUBLISH);
    assert_contains(answer(), "\"code\":4090430,\"msg\":\"Version Conflict\"");
    text_deinit(&data);
}
END_TEST

START_TEST(each_right_is_the_scripts_digit)
{
    const char *body;

    ask("getAccessor", plan_get_accessor, ABOUT("com.app.mo.Note") ",\"returnObject\":true}");
    body = answer_to((const char *const[]){"ok", "9", "1001", NULL});
    assert_contains(body, "\"resultObject\":null,\"accessor\":{\"cn\":"
                          "\"com.percero.framework.accessor.Accessor\",\"ID\":\"null\","
                          "\"canCreate\":false,\"canDelete\":true,\"canRead\":true,"
                          "\"canUpdate\":false}}");
}
END_TEST

START_TEST(nobody_may_create_an_object_of_an_abstract_class)
{
    ask("getAccessor", plan_get_accessor, ABOUT("com.app.mo.Note") "}");
    ck_assert(!has_arg("nobody"));
    handler_tear_down();
    set_up();
    ask("getAccessor", plan_get_accessor, ABOUT("com.app.mo.Item") "}");
    ck_assert(has_arg("nobody"));
    ck_assert(has_arg("com.app.mo.Task"));
}
END_TEST

START_TEST(the_object_beside_an_accessor_may_have_been_overtaken)
{
    ask("getAccessor", plan_get_accessor, ABOUT("com.app.mo.Note") ",\"returnObject\":true}");
    fake_reply(&work.call, "*5\r\n$2\r\nok\r\n$1\r\n9\r\n$4\r\n1111\r\n$17\r\ncom.app.mo.Note:n\r\n"
                           "*4\r\n$2\r\n@v\r\n$1\r\n3\r\n$5\r\ntitle\r\n$10\r\n3 1000 \"a\"\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"ID\":\"n\",\"title\":\"a\",");
    ck_assert(has_arg("HGET"));
}
END_TEST

/* A step of the history that finds `count` states, from this version down. */
static void find_states(int64_t version, size_t count)
{
    struct text protocol = {0};

    text_add(&protocol, "*4\r\n$2\r\nok\r\n$1\r\n9\r\n$17\r\ncom.app.mo.Note:n\r\n");
    text_addf(&protocol, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        struct text state = {0};

        text_addf(&state, "{\"version\":%d,\"time\":5,\"user\":\"u\",\"fields\":{\"title\":\"a\"}}",
                  (int)(version - (int64_t)i));
        text_addf(&protocol, "$%zu\r\n%s\r\n", state.size, state.at);
        text_deinit(&state);
    }
    fake_reply(&work.call, protocol.at);
    text_deinit(&protocol);
}

START_TEST(a_history_is_read_in_steps_and_a_put_in_between_repeats_nothing)
{
    const char *body, *at;
    size_t states = 0;

    ck_assert_int_eq(ask("getHistory", plan_get_history, ABOUT("com.app.mo.Note") "}"), WORK_CALL);
    find_states(15, 10);
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    find_states(7, 7); /* version 16 has moved the list on: 7 and 6 come again */
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    body = work.out[0].msg->body;
    assert_contains(body, "\"result\":[{\"cn\":\"com.percero.agents.sync.vo.HistoricalObject\","
                          "\"ID\":\"com.app.mo.Note:n:15\",\"objectChangeDate\":5,"
                          "\"objectChangerId\":\"u\",\"objectVersion\":\"15\","
                          "\"objectId\":\"n\",\"objectClassName\":\"com.app.mo.Note\","
                          "\"objectData\":\"{\\\"cn\\\":\\\"com.app.mo.Note\\\",");
    assert_contains(body, "\\\"title\\\":\\\"a\\\",\\\"text\\\":null");
    for (at = body; (at = strstr(at, "HistoricalObject")); at++)
        states++;
    ck_assert_uint_eq(states, 15);
}
END_TEST

START_TEST(a_history_that_may_not_be_read_is_null)
{
    ask("getHistory", plan_get_history, ABOUT("com.app.mo.Note") "}");
    assert_contains(answer_to((const char *const[]){"ok", "9", NULL}), "\"result\":null}");
}
END_TEST

START_TEST(a_history_over_the_limit_of_answers_is_refused)
{
    agent.proc.settings.sync_max_answer_bytes = 100;
    ask("getHistory", plan_get_history, ABOUT("com.app.mo.Note") "}");
    find_states(3, 3);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"errorCode\":\"-120\"");
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync operations");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_loop_test(tc, a_request_that_cannot_be_served_is_answered_at_once, 0,
                        ARRAY_SIZE(refused));
    tcase_add_test(tc, an_object_over_the_size_limit_is_refused);
    tcase_add_test(tc, a_read_by_a_parent_class_tries_every_concrete_class);
    tcase_add_test(tc, what_is_found_is_printed_whole_in_the_models_order);
    tcase_add_loop_test(tc, a_reply_that_was_overtaken_is_said_again, 0,
                        ARRAY_SIZE(newest_replies));
    tcase_add_test(tc, what_is_not_found_is_null);
    tcase_add_test(tc, an_unknown_client_is_told_so);
    tcase_add_test(tc, a_client_of_the_content_protocol_is_refused_with_an_error_frame);
    tcase_add_test(tc, a_result_of_the_content_protocol_echoes_id_and_class);
    tcase_add_test(tc, each_right_is_the_scripts_digit);
    tcase_add_test(tc, nobody_may_create_an_object_of_an_abstract_class);
    tcase_add_test(tc, the_object_beside_an_accessor_may_have_been_overtaken);
    tcase_add_test(tc, a_history_is_read_in_steps_and_a_put_in_between_repeats_nothing);
    tcase_add_test(tc, a_history_that_may_not_be_read_is_null);
    tcase_add_test(tc, a_history_over_the_limit_of_answers_is_refused);
    return unit_run_case("sync_operations", tc);
}
