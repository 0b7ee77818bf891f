#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* add_child, without servers. */

#define FRAME(key, obj)                                                                \
    "{\"type\":\"request\",\"id\":\"m1\",\"cls\":\"add_child\",\"data\":{\"key\":" key \
    ",\"obj\":" obj "}}"
#define ROOM "{\"type\":\"room\",\"id\":5}"
#define FAV  "{\"type\":\"fav\",\"id\":6}"

static const char me[] = "{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}";

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
    agent.proc.settings.sync_max_listed = 3;
}

/* Who makes it is looked up. */
static void maker_is(const char *pair)
{
    ck_assert_str_eq(work.call.script->name, "maker");
    fake_reply_strings(&work.call, (const char *const[]){"ok", "9", pair, NULL});
    ck_assert_int_eq(work.next(&work), WORK_CALL);
}

START_TEST(a_message_is_made_by_whoever_asks_and_numbered_in_its_room)
{
    ask_content("add_child", plan_add_child, FRAME(ROOM, "{\"key\":{\"type\":\"msg\"}}"));
    maker_is(me);
    ck_assert_str_eq(work.call.script->name, "add_child");
    ck_assert(has_arg(me));
    ck_assert(has_arg("1000")); /* the time at which it was accepted */
    ck_assert(has_arg("id"));
    ck_assert_str_eq(answer_to((const char *const[]){"ok", "9", "[5,1]", NULL}),
                     "{\"type\":\"result\",\"id\":\"m1\",\"cls\":\"add_child\",\"status\":200,"
                     "\"data\":{\"key\":{\"type\":\"msg\",\"id\":[5,1]}}}");
}
END_TEST

START_TEST(a_repeated_request_has_the_answer_of_the_first)
{
    ask_content("add_child", plan_add_child, FRAME(ROOM, "{\"key\":{\"type\":\"msg\"}}"));
    maker_is(me);
    assert_contains(answer_to((const char *const[]){"again", "9", "ok [5,1]", NULL}),
                    "{\"key\":{\"type\":\"msg\",\"id\":[5,1]}}");
    ck_assert_uint_eq(spawned, 0);
}
END_TEST

START_TEST(a_link_needs_no_maker)
{
    ask_content("add_child", plan_add_child, FRAME(FAV, "{\"key\":{\"type\":\"user\",\"id\":7}}"));
    ck_assert_str_eq(work.call.script->name, "add_child");
    ck_assert(has_arg("list"));
    assert_contains(answer_to((const char *const[]){"same", "9", "7", NULL}),
                    "{\"key\":{\"type\":\"user\",\"id\":7}}");
}
END_TEST

static const struct {
    const char *outcome, *said, *code;
} refusals[] = {
    {"client", "", "4010710"},     {"missing", "", "4040720"},   {"forbidden", "", "4030730"},
    {"exists", "", "4220740"},     {"unknown", "", "4220740"},   {"elsewhere", "", "4220740"},
    {"removed", "", "4220740"},    {"unique", "a+b", "4220740"}, {"reference", "x:1", "4220740"},
    {"incomplete", "", "4220740"}, {"full", "f", "4220740"},     {"taken", "x", "4220740"},
};

START_TEST(a_refusal_of_the_script_has_its_code)
{
    struct text code = {0};

    text_addf(&code, "\"code\":%s,", refusals[_i].code);
    ask_content("add_child", plan_add_child, FRAME(FAV, "{\"key\":{\"type\":\"user\",\"id\":7}}"));
    assert_contains(
        answer_to((const char *const[]){refusals[_i].outcome, "9", refusals[_i].said, NULL}),
        code.at);
    text_deinit(&code);
}
END_TEST

START_TEST(without_a_maker_there_is_none)
{
    ask_content("add_child", plan_add_child, FRAME(ROOM, "{\"key\":{\"type\":\"msg\"}}"));
    maker_is("");
    ck_assert_str_eq(work.call.script->name, "add_child");
    ck_assert(!has_arg(me));
}
END_TEST

START_TEST(who_is_unknown_makes_nothing)
{
    ask_content("add_child", plan_add_child, FRAME(ROOM, "{\"key\":{\"type\":\"msg\"}}"));
    assert_contains(answer_to((const char *const[]){"client", NULL}), "\"code\":4010710");
}
END_TEST

START_TEST(a_child_that_is_too_large_is_refused)
{
    struct text frame = {0};

    text_add(&frame, "{\"data\":{\"key\":" ROOM ",\"obj\":{\"key\":{\"type\":\"msg\"},\"text\":\"");
    for (size_t i = 0; i < 1000; i++)
        text_add_char(&frame, 'x');
    text_add(&frame, "\"}}}");
    ck_assert_int_eq(ask_content("add_child", plan_add_child, frame.at), WORK_PUBLISH);
    assert_contains(answer(), "\"code\":4130700");
    text_deinit(&frame);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync add_child");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_test(tc, a_message_is_made_by_whoever_asks_and_numbered_in_its_room);
    tcase_add_test(tc, a_repeated_request_has_the_answer_of_the_first);
    tcase_add_test(tc, a_link_needs_no_maker);
    tcase_add_loop_test(tc, a_refusal_of_the_script_has_its_code, 0, (int)ARRAY_SIZE(refusals));
    tcase_add_test(tc, without_a_maker_there_is_none);
    tcase_add_test(tc, who_is_unknown_makes_nothing);
    tcase_add_test(tc, a_child_that_is_too_large_is_refused);
    return unit_run_case("sync_add_child", tc);
}
