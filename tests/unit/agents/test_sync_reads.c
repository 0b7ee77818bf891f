#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/*
 * Reads of many objects, and removals, without servers: what calls they make, and how the answer is
 * put together from the replies of the steps.
 */

static void set_up(void)
{
    handler_set_up(RELATIONS_MODEL);
}

/* The arguments of the call, one a line; the caller frees them. */
static char *call_args(void)
{
    char *args = calloc(1, work.call.args.size + work.call.count + 2), *to = args;
    size_t from = 0;

    *to++ = '\n';
    for (size_t i = 0; i < work.call.count; from = work.call.ends[i++]) {
        memcpy(to, work.call.args.at + from, work.call.ends[i] - from);
        to += work.call.ends[i] - from;
        *to++ = '\n';
    }
    return args;
}

/* These arguments follow each other in the call; each ends with a newline. */
static void assert_args(const char *expected)
{
    char *args = call_args();
    struct text lines = {0};

    text_addf(&lines, "\n%s", expected);
    assert_contains(args, lines.at);
    text_deinit(&lines);
    free(args);
}

static void add_string(struct text *protocol, const char *string)
{
    text_addf(protocol, "$%zu\r\n%s\r\n", strlen(string), string);
}

/* What a step of a read returns: refs, of version 3 and without fields, and numbers or texts
 * behind. Both lists end with NULL. */
static void reply_found(const char *const *refs, const char *const *behind)
{
    _cleanup_(text_deinitp) struct text protocol = {0};
    size_t found = 0, more = 0;

    while (refs[found])
        found++;
    while (behind[more])
        more++;
    text_addf(&protocol, "*%zu\r\n", 3 + more);
    add_string(&protocol, "ok");
    add_string(&protocol, "9");
    text_addf(&protocol, "*%zu\r\n", found * 2);
    for (size_t i = 0; i < found; i++) {
        add_string(&protocol, refs[i]);
        text_add(&protocol, "*2\r\n$2\r\n@v\r\n$1\r\n3\r\n");
    }
    for (size_t i = 0; i < more; i++)
        add_string(&protocol, behind[i]);
    fake_reply(&work.call, protocol.at);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* ---- findByIds ---- */

#define GROUPS(groups) "{\"theClassIdList\":[" groups "]}"

START_TEST(groups_are_asked_for_one_after_the_other)
{
    ck_assert_int_eq(ask("findByIds", plan_find_by_ids,
                         GROUPS("{\"className\":\"com.test.Ticket\",\"ids\":[\"2\",\"1\"]},"
                                "{\"className\":\"com.test.Car\",\"ids\":[]},"
                                "{\"className\":\"com.test.Truck\",\"ids\":[\"t\"]}")),
                     WORK_CALL);
    assert_args("com.test.Ticket\nsignedIn\n0\n2\n2\n1\n");
    reply_found(LIST("com.test.Ticket:1"), LIST());
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("com.test.Truck\nsignedIn\n0\n1\nt\n");
    ck_assert(!has_arg("com.test.Car"));
    reply_found(LIST("com.test.Truck:t"), LIST());
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"result\":[{\"cn\":\"com.test.Ticket\",\"ID\":\"1\",\"text\":null},"
                              "{\"cn\":\"com.test.Truck\",\"ID\":\"t\",");
}
END_TEST

START_TEST(many_ids_are_asked_for_in_steps)
{
    _cleanup_(text_deinitp) struct text body = {0};

    text_add(&body, "{\"theClassIdList\":[{\"className\":\"com.test.Ticket\",\"ids\":[\"0\"");
    for (int i = 1; i < 600; i++)
        text_addf(&body, ",\"%d\"", i);
    text_add(&body, "]}]}");
    ck_assert_int_eq(ask("findByIds", plan_find_by_ids, body.at), WORK_CALL);
    assert_args("250\n0\n1\n2\n");
    ck_assert(!has_arg("251"));
    reply_found(LIST(), LIST());
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("250\n250\n251\n");
    reply_found(LIST(), LIST());
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("100\n500\n501\n");
    reply_found(LIST(), LIST());
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"result\":[]}");
}
END_TEST

START_TEST(everything_that_was_told_is_looked_at)
{
    ask("findByIds", plan_find_by_ids,
        GROUPS("{\"className\":\"com.test.Ticket\",\"ids\":[\"1\",\"2\"]}"));
    reply_found(LIST("com.test.Ticket:1", "com.test.Ticket:2"), LIST());
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    forget_answer();
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("6\ncom.test.Ticket:1\n3\n1\ncom.test.Ticket:2\n3\n1\n1\n0\n9\n");
    fake_reply_strings(&work.call, LIST("ok"));
    ck_assert_int_eq(work.next(&work), WORK_DONE);
}
END_TEST

START_TEST(where_nothing_was_told_there_is_nothing_to_look_at)
{
    ask("findByIds", plan_find_by_ids, GROUPS(""));
    ck_assert_int_eq(work.out_count, 1);
    ck_assert_int_eq(work.next(&work), WORK_DONE);
}
END_TEST

START_TEST(an_answer_that_grows_too_large_is_refused)
{
    agent.proc.settings.sync_max_answer_bytes = 100;
    ask("getAllByName", plan_get_all_by_name, "{\"theClassName\":\"com.test.Ticket\"}");
    reply_found(LIST("com.test.Ticket:1", "com.test.Ticket:2", "com.test.Ticket:3"),
                LIST("3", "3", ""));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"errorCode\":\"-120\"");
}
END_TEST

/* ---- getAllByName ---- */

/* A class that everybody may read: class, watch, numeric, behind, rank, at most, pass, wanted. */
static const struct {
    const char *page, *args;
} pages[] = {
    {"", "com.test.Ticket\n1\n1\n1\n\n0\n250\n0\n2147483647\n"},
    {",\"pageSize\":10,\"pageNumber\":3", "com.test.Ticket\n1\n1\n1\n\n30\n10\n0\n10\n"},
    {",\"pageSize\":1000,\"pageNumber\":1", "com.test.Ticket\n1\n1\n1\n\n1000\n250\n0\n1000\n"},
    {",\"pageSize\":0,\"pageNumber\":3", "com.test.Ticket\n1\n1\n1\n\n0\n250\n0\n2147483647\n"},
    {",\"pageSize\":-9,\"pageNumber\":3", "com.test.Ticket\n1\n1\n1\n\n0\n250\n0\n2147483647\n"},
    {",\"pageSize\":10", "com.test.Ticket\n1\n1\n1\n\n0\n250\n0\n2147483647\n"},
    {",\"pageSize\":9223372036854775807,\"pageNumber\":9223372036854775807",
     "com.test.Ticket\n1\n1\n1\n\n2147483647\n250\n0\n2147483647\n"},
};

START_TEST(a_page_is_a_place_in_the_list)
{
    _cleanup_(text_deinitp) struct text body = {0};

    text_addf(&body, "{\"theClassName\":\"com.test.Ticket\"%s}", pages[_i].page);
    ck_assert_int_eq(ask("getAllByName", plan_get_all_by_name, body.at), WORK_CALL);
    assert_args(pages[_i].args);
}
END_TEST

START_TEST(a_page_goes_on_behind_what_was_looked_at_last)
{
    ask("getAllByName", plan_get_all_by_name,
        "{\"theClassName\":\"com.test.Ticket\",\"pageSize\":300,\"pageNumber\":0}");
    reply_found(LIST("com.test.Ticket:5"), LIST("700", "1", "5\ncom.test.Ticket"));
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    /* It is watched only once. */
    assert_args("com.test.Ticket\n0\n1\n1\n5\ncom.test.Ticket\n0\n250\n0\n299\n");
    reply_found(LIST("com.test.Ticket:6"), LIST("700", "1", ""));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(),
                    "\"ID\":\"5\",\"text\":null},{\"cn\":\"com.test.Ticket\",\"ID\":\"6\"");
    assert_contains(answer(), "],\"pageSize\":300,\"pageNumber\":0,\"totalCount\":0}");
}
END_TEST

START_TEST(the_total_of_a_class_that_all_may_read_is_the_length_of_its_list)
{
    ask("getAllByName", plan_get_all_by_name,
        "{\"theClassName\":\"com.test.Ticket\",\"pageSize\":1,\"pageNumber\":0,"
        "\"returnTotal\":true}");
    reply_found(LIST("com.test.Ticket:5"), LIST("700", "1", "5\ncom.test.Ticket"));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"totalCount\":700}");
}
END_TEST

START_TEST(a_page_of_what_not_all_may_read_is_behind_the_readable_ones_before_it)
{
    ask("getAllByName", plan_get_all_by_name,
        "{\"theClassName\":\"com.test.Diary\",\"pageSize\":2,\"pageNumber\":1}");
    assert_args("com.test.Diary\n1\n0\n0\n\n0\n250\n2\n2\n");
    reply_found(LIST(), LIST("700", "1", "x\ncom.test.Diary"));
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("com.test.Diary\n0\n0\n0\nx\ncom.test.Diary\n0\n250\n1\n2\n");
    reply_found(LIST("com.test.Diary:y", "com.test.Diary:z"),
                LIST("700", "5", "z\ncom.test.Diary"));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
}
END_TEST

START_TEST(a_total_of_what_not_all_may_read_is_counted_to_the_end)
{
    ask("getAllByName", plan_get_all_by_name,
        "{\"theClassName\":\"com.test.Diary\",\"pageSize\":1,\"pageNumber\":0,"
        "\"returnTotal\":true}");
    reply_found(LIST("com.test.Diary:a"), LIST("700", "100", "x\ncom.test.Diary"));
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("com.test.Diary\n0\n0\n0\nx\ncom.test.Diary\n0\n250\n0\n0\n");
    reply_found(LIST(), LIST("700", "7", ""));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"totalCount\":107}");
}
END_TEST

/* ---- countAllByName ---- */

START_TEST(counts_come_in_the_order_of_the_classes)
{
    ask("countAllByName", plan_count_all_by_name,
        "{\"classNames\":[\"com.test.Ticket\",\"com.test.Diary\"]}");
    /* Nothing is watched, and nothing looked at. */
    assert_args("com.test.Ticket\n0\n1\n1\n\n0\n0\n0\n0\n");
    reply_found(LIST(), LIST("1000000", "0", ""));
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    assert_args("com.test.Diary\n0\n0\n0\n\n0\n250\n0\n0\n");
    reply_found(LIST(), LIST("3", "2", ""));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"result\":[{\"com.test.Ticket\":1000000},{\"com.test.Diary\":2}]}");
}
END_TEST

START_TEST(an_unknown_client_and_an_error_end_a_read_in_any_step)
{
    ask("getAllByName", plan_get_all_by_name, "{\"theClassName\":\"com.test.Ticket\"}");
    reply_found(LIST("com.test.Ticket:5"), LIST("700", "1", "5\ncom.test.Ticket"));
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    if (_i)
        fake_reply(&work.call, "-ERR boom\r\n");
    else
        fake_reply_strings(&work.call, LIST("client"));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), _i ? "\"errorCode\":\"0\"" : "\"errorCode\":\"-100\"");
    ck_assert_ptr_null(strstr(answer(), "boom"));
}
END_TEST

/* ---- Removals ---- */

#define REMOVE_CAR "{\"removePair\":{\"className\":\"com.test.Car\",\"ID\":\"1\"}}"

START_TEST(a_removal_knows_all_families_and_what_is_required)
{
    ck_assert_int_eq(ask("removeObject", plan_remove_object, REMOVE_CAR), WORK_CALL);
    assert_args("2\ncom.test.Car\ncom.test.Vehicle\n1\nsignedIn\n");
    assert_args("1\ncom.test.Ticket\n");
    assert_args("com.test.Part\nvehicle\n");
    assert_args("com.test.Share\ncompany\n");
    ck_assert(!has_arg("com.test.Part\nsupplier"));
    ck_assert(!has_arg("com.test.Fleet\nvehicles"));
    assert_args("77\n");
    assert_args("supplies\nsupplies\n\n1\n0\n50\n1\ncom.test.Company\n1\ncom.test.Part\nsupplier\n"
                "1\ncom.test.Part\n");
}
END_TEST

START_TEST(a_removal_starts_every_job_that_it_has_ordered)
{
    ask("removeObject", plan_remove_object, REMOVE_CAR);
    fake_reply(&work.call, _i ? "*5\r\n$2\r\nok\r\n$1\r\n9\r\n$1\r\n4\r\n"
                                "*1\r\n$1\r\n5\r\n$1\r\n6\r\n"
                              : "*5\r\n$2\r\nok\r\n$1\r\n9\r\n$1\r\n4\r\n"
                                "*2\r\n$1\r\n5\r\n$1\r\n6\r\n$0\r\n\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"result\":true}");
    ck_assert_uint_eq(spawned, 2); /* two fan-outs; one, and the cascade */
}
END_TEST

START_TEST(a_removal_of_nothing_starts_nothing)
{
    ask("removeObject", plan_remove_object, REMOVE_CAR);
    fake_reply_strings(&work.call, _i ? LIST("same", "9") : LIST("again", "9", "ok 4"));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"result\":true}");
    ck_assert_uint_eq(spawned, 0);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync reads");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_test(tc, groups_are_asked_for_one_after_the_other);
    tcase_add_test(tc, many_ids_are_asked_for_in_steps);
    tcase_add_test(tc, everything_that_was_told_is_looked_at);
    tcase_add_test(tc, where_nothing_was_told_there_is_nothing_to_look_at);
    tcase_add_test(tc, an_answer_that_grows_too_large_is_refused);
    tcase_add_loop_test(tc, a_page_is_a_place_in_the_list, 0, ARRAY_SIZE(pages));
    tcase_add_test(tc, a_page_goes_on_behind_what_was_looked_at_last);
    tcase_add_test(tc, the_total_of_a_class_that_all_may_read_is_the_length_of_its_list);
    tcase_add_test(tc, a_page_of_what_not_all_may_read_is_behind_the_readable_ones_before_it);
    tcase_add_test(tc, a_total_of_what_not_all_may_read_is_counted_to_the_end);
    tcase_add_test(tc, counts_come_in_the_order_of_the_classes);
    tcase_add_loop_test(tc, an_unknown_client_and_an_error_end_a_read_in_any_step, 0, 2);
    tcase_add_test(tc, a_removal_knows_all_families_and_what_is_required);
    tcase_add_loop_test(tc, a_removal_starts_every_job_that_it_has_ordered, 0, 2);
    tcase_add_loop_test(tc, a_removal_of_nothing_starts_nothing, 0, 2);
    return unit_run_case("sync_reads", tc);
}
