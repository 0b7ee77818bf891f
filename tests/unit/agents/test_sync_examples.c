#include <string.h>

#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* Reads by example. */

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
}

#define TASK(members) "{\"theObject\":{\"cn\":\"com.app.mo.Task\"" members "}}"

#define OWNED    "\"owner\":{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}"
#define ASSIGNED "\"assignee\":{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}"

static const struct {
    const char *members;
    const char *index; /* NULL: none */
    const char *most;  /* objects to walk through */
} plans[] = {
    {"", NULL, "10000"},
    {",\"title\":\"x\"", NULL, "10000"},
    {",\"done\":true", NULL, "10000"}, /* only the second field of an index */
    {"," OWNED, "owner", "-1"},
    {"," OWNED ",\"title\":\"x\"", "owner", "10000"},
    {"," ASSIGNED, "assignee", "-1"},
    {",\"done\":true," ASSIGNED, "assignee+done", "-1"},
    {",\"done\":true," OWNED "," ASSIGNED, "assignee+done", "10000"},
};

START_TEST(an_example_walks_the_index_with_the_most_fields_that_are_given)
{
    static const char *const indexes[] = {"owner", "assignee", "assignee+done"};
    _cleanup_(text_deinitp) struct text body = {0};

    text_addf(&body, TASK("%s"), plans[_i].members);
    ck_assert_int_eq(ask("findByExample", plan_find_by_example, body.at), WORK_CALL);
    ck_assert_str_eq(work.call.script->name, "read_example");
    for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
        bool is_field = strstr(body.at, indexes[i]) != NULL; /* then its name is there anyway */
        bool chosen = plans[_i].index && !strcmp(indexes[i], plans[_i].index);

        if (chosen || !is_field)
            ck_assert_int_eq(has_arg(indexes[i]), chosen);
    }
    ck_assert(has_arg(plans[_i].most));
}
END_TEST

static const char *found(const char *last)
{
    static struct text protocol;

    text_clear(&protocol);
    text_addf(&protocol,
              "*4\r\n$2\r\nok\r\n$1\r\n9\r\n*2\r\n$17\r\ncom.app.mo.Task:n\r\n"
              "*2\r\n$2\r\n@v\r\n$1\r\n3\r\n$%zu\r\n%s\r\n",
              strlen(last), last);
    return protocol.at;
}

START_TEST(a_search_goes_on_until_nothing_is_left)
{
    ask("searchByExample", plan_search_by_example, TASK(",\"title\":\"x\""));
    fake_reply(&work.call, found("n\ncom.app.mo.Task"));
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert(has_arg("n\ncom.app.mo.Task"));
    fake_reply(&work.call, found(""));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"result\":[{\"cn\":\"com.app.mo.Task\",\"ID\":\"n\"");
    assert_contains(work.out[0].msg->body, "},{\"cn\":");
}
END_TEST

START_TEST(a_search_for_one_ends_with_the_first)
{
    ask("findUnique", plan_find_unique, TASK(",\"title\":\"x\""));
    fake_reply(&work.call, found("n\ncom.app.mo.Task"));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"result\":{\"cn\":\"com.app.mo.Task\",\"ID\":\"n\"");
}
END_TEST

static const struct {
    const char *operation;
    work_fn *plan;
    bool falls_back;
    const char *nothing;
} id_uses[] = {
    {"findByExample", plan_find_by_example, true, "\"result\":[]}"},
    {"findUnique", plan_find_unique, true, "\"result\":null}"},
    {"searchByExample", plan_search_by_example, false, "\"result\":[]}"},
};

START_TEST(an_id_counts_only_when_nothing_else_was_found)
{
    const char *const nothing[] = {"ok", "9", "", "", NULL};

    ask(id_uses[_i].operation, id_uses[_i].plan, TASK(",\"ID\":\"77\",\"title\":\"x\""));
    ck_assert(!has_arg("77"));
    if (id_uses[_i].falls_back) {
        fake_reply_strings(&work.call, nothing);
        ck_assert_int_eq(work.next(&work), WORK_CALL);
        ck_assert_str_eq(work.call.script->name, "read");
        ck_assert(has_arg("77"));
    }
    assert_contains(answer_to(nothing), id_uses[_i].nothing);
}
END_TEST

static const struct {
    const char *members, *told;
} missing_indexes[] = {
    {",\"title\":\"x\",\"done\":true", "needs an index on com.app.mo.Task(title,done)"},
    {"", "com.app.mo.Task has more than 10000 objects"},
};

START_TEST(an_example_that_is_too_expensive_names_the_index_that_is_missing)
{
    _cleanup_(text_deinitp) struct text body = {0};

    text_addf(&body, TASK("%s"), missing_indexes[_i].members);
    ask("findByExample", plan_find_by_example, body.at);
    assert_contains(answer_to((const char *const[]){"expensive", "9", NULL}),
                    missing_indexes[_i].told);
    assert_contains(work.out[0].msg->body, "\"errorCode\":\"-120\"");
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync examples");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_loop_test(tc, an_example_walks_the_index_with_the_most_fields_that_are_given, 0,
                        ARRAY_SIZE(plans));
    tcase_add_test(tc, a_search_goes_on_until_nothing_is_left);
    tcase_add_test(tc, a_search_for_one_ends_with_the_first);
    tcase_add_loop_test(tc, an_id_counts_only_when_nothing_else_was_found, 0, ARRAY_SIZE(id_uses));
    tcase_add_loop_test(tc, an_example_that_is_too_expensive_names_the_index_that_is_missing, 0,
                        ARRAY_SIZE(missing_indexes));
    return unit_run_case("sync_examples", tc);
}
