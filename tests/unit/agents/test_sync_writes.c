#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* Creations and puts. */

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
}

#define TASK(members) "{\"theObject\":{\"cn\":\"com.app.mo.Task\"" members "}}"

static const struct {
    const char *outcome, *answer;
    bool result;
} outcomes[] = {
    {"ok", "\"data\":null", true},
    {"same", "\"data\":null", true},
    {"stale", "\"code\":\"-201\"", false},
    {"missing", "\"code\":\"-201\"", false},
    {"forbidden", "\"code\":\"-117\"", false},
    {"reference", "\"code\":\"-201\"", false},
    {"unique", "\"message\":\"another object has the same 4\"", false},
    {"full", "as many as it may list already in 4\"", false},
};

START_TEST(the_outcome_of_a_put_becomes_its_result)
{
    const char *body;

    ck_assert_int_eq(ask("putObject", plan_put_object, TASK(",\"ID\":\"1\",\"done\":null")),
                     WORK_CALL);
    ck_assert(has_arg("done"));
    ck_assert(has_arg("null")); /* clears, unlike a field that is absent */
    ck_assert(!has_arg("title"));
    body = answer_to((const char *const[]){outcomes[_i].outcome, "9", "4", NULL});
    assert_contains(body, outcomes[_i].answer);
    assert_contains(body, outcomes[_i].result ? "\"result\":true}" : "\"result\":false}");
    ck_assert_uint_eq(spawned, 0);
}
END_TEST

START_TEST(a_put_starts_every_job_that_it_has_ordered)
{
    ask("putObject", plan_put_object, TASK(",\"ID\":\"1\",\"done\":null"));
    fake_reply(&work.call, "*5\r\n$2\r\nok\r\n$1\r\n9\r\n$1\r\n4\r\n"
                           "*2\r\n$2\r\n77\r\n$2\r\n78\r\n$0\r\n\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"result\":true}");
    ck_assert_uint_eq(spawned, 2);
}
END_TEST

START_TEST(a_repeated_write_answers_as_the_first_time_and_tells_nobody)
{
    ask("createObject", plan_create_object, TASK(",\"ID\":\"1\",\"done\":true"));
    assert_contains(answer_to((const char *const[]){"again", "9", "ok 1", NULL}),
                    "\"theObject\":{\"cn\":\"com.app.mo.Task\",\"ID\":\"1\",\"title\":null,");
    ck_assert_uint_eq(spawned, 0);
}
END_TEST

START_TEST(a_repeated_refusal_is_the_same_refusal)
{
    ask("removeObject", plan_remove_object,
        "{\"removePair\":{\"className\":\"com.app.mo.Task\",\"ID\":\"1\"}}");
    assert_contains(answer_to((const char *const[]){"again", "9", "forbidden ", NULL}),
                    "\"code\":\"-117\"");
}
END_TEST

START_TEST(a_repeated_refusal_names_the_fields_of_the_unique_index_again)
{
    ask("createObject", plan_create_object, TASK(",\"ID\":\"1\",\"done\":true"));
    assert_contains(answer_to((const char *const[]){"again", "9", "unique owner+title", NULL}),
                    "another object has the same owner and title");
}
END_TEST

/* The only argument that is as long as a UUID. */
static char *uuid_arg(void)
{
    size_t from = 0;

    for (size_t i = 0; i < work.call.count; from = work.call.ends[i++]) {
        if (work.call.ends[i] - from == 36)
            return strndup(work.call.args.at + from, 36);
    }
    ck_abort_msg("no UUID among the arguments");
}

START_TEST(an_id_that_we_make_follows_from_the_request)
{
    char *first, *second;

    ck_assert_int_eq(ask("createObject", plan_create_object, TASK("")), WORK_CALL);
    first = uuid_arg();
    handler_tear_down();
    set_up();
    ck_assert_int_eq(ask("createObject", plan_create_object, TASK("")), WORK_CALL);
    second = uuid_arg();
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
}
END_TEST

START_TEST(a_default_is_stored_and_answered)
{
    agent.proc.settings.sync_max_object_bytes = 1000;
    ck_assert_int_eq(ask("createObject", plan_create_object,
                         "{\"theObject\":{\"cn\":\"com.app.mo.Person\",\"first_name\":\"A\"}}"),
                     WORK_CALL);
    ck_assert(has_arg("\"offline\""));
    assert_contains(answer_to((const char *const[]){"ok", "9", "12", NULL}), "\"ID\":\"12\"");
    assert_contains(work.out[0].msg->body, "\"presence\":\"offline\"");
}
END_TEST

START_TEST(an_error_of_redis_is_an_internal_error)
{
    ask("putObject", plan_put_object, TASK(",\"ID\":\"1\",\"done\":true"));
    fake_reply(&work.call, "-ERR boom\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "SyncErrorResponse");
    ck_assert_ptr_null(strstr(work.out[0].msg->body, "boom")); /* details are for the log */
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync writes");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_loop_test(tc, the_outcome_of_a_put_becomes_its_result, 0, ARRAY_SIZE(outcomes));
    tcase_add_test(tc, a_put_starts_every_job_that_it_has_ordered);
    tcase_add_test(tc, a_repeated_write_answers_as_the_first_time_and_tells_nobody);
    tcase_add_test(tc, a_repeated_refusal_is_the_same_refusal);
    tcase_add_test(tc, a_repeated_refusal_names_the_fields_of_the_unique_index_again);
    tcase_add_test(tc, an_id_that_we_make_follows_from_the_request);
    tcase_add_test(tc, a_default_is_stored_and_answered);
    tcase_add_test(tc, an_error_of_redis_is_an_internal_error);
    return unit_run_case("sync_writes", tc);
}
