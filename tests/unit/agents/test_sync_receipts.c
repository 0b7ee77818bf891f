#include <check.h>

#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* Receipts of a gateway's clients, and those that are published by hand. */

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
    agent.proc.settings.sync_receipts_late_ms = 2000;
}

static void assert_args(const char *part)
{
    char *args = all_args();

    assert_contains(args, part);
    free(args);
}

START_TEST(receipts_of_several_clients_are_settled_in_one_call)
{
    ck_assert_int_eq(ask("updatesReceived", plan_updates_received,
                         "{\"v\":1,\"receipts\":["
                         "{\"client\":\"a\",\"pairs\":[[\"T:1\",7],[\"T:2\",8]]},"
                         "{\"client\":\"b\",\"pairs\":[]},"
                         "{\"client\":\"c\",\"pairs\":[[\"T:1\",9]]}]}"),
                     WORK_CALL);
    assert_args("|a|T:1|7|a|T:2|8|b|||c|T:1|9|");
    ck_assert(has_arg("u"));
    ck_assert_str_eq(answer_to((const char *const[]){NULL}), "{\"v\":1,\"unknown\":[]}");
}
END_TEST

START_TEST(receipts_for_deletes_say_so)
{
    ask("deletesReceived", plan_deletes_received,
        "{\"v\":1,\"receipts\":[{\"client\":\"a\",\"pairs\":[[\"T:1\",7]]}]}");
    ck_assert(has_arg("d"));
}
END_TEST

START_TEST(what_is_malformed_is_passed_over)
{
    ask("updatesReceived", plan_updates_received,
        "{\"v\":1,\"receipts\":[7,null,{\"pairs\":[[\"T:0\",7]]},{\"client\":5},"
        "{\"client\":\"a\",\"pairs\":[7,[],[\"T:1\"],[\"T:2\",\"8\"],[\"T:3\",null],[\"T:4\",1.5],"
        "[9,9],{\"className\":\"T\",\"ID\":\"5\"},[\"T:6\",6]]},{\"client\":\"b\",\"pairs\":7}]}");
    assert_args("|a|T:6|6|b|||");
    for (size_t i = 0; i < 6; i++)
        ck_assert(!has_arg((const char *const[]){"T:0", "T:1", "T:2", "T:3", "T:4", "T:5"}[i]));
}
END_TEST

START_TEST(a_batch_without_receipts_asks_nothing)
{
    ck_assert_int_eq(ask("updatesReceived", plan_updates_received, "{\"v\":1,\"receipts\":[]}"),
                     WORK_PUBLISH);
    ck_assert_str_eq(answer(), "{\"v\":1,\"unknown\":[]}");
}
END_TEST

START_TEST(clients_that_are_not_known_are_named)
{
    ask("updatesReceived", plan_updates_received,
        "{\"v\":1,\"receipts\":[{\"client\":\"a\"},{\"client\":\"b\"}]}");
    ck_assert_str_eq(answer_to((const char *const[]){"a", "b", NULL}),
                     "{\"v\":1,\"unknown\":[\"a\",\"b\"]}");
}
END_TEST

START_TEST(a_huge_batch_is_settled_in_several_calls)
{
    struct text body = {0};
    enum work_step step;
    size_t calls = 0;

    text_add(&body, "{\"v\":1,\"receipts\":[{\"client\":\"none\"}");
    for (size_t i = 0; i < 3; i++) {
        text_addf(&body, ",{\"client\":\"c%zu\",\"pairs\":[", i);
        for (size_t j = 0; j < 200; j++)
            text_addf(&body, "%s[\"T:%zu\",%zu]", j ? "," : "", j, i);
        text_add(&body, "]}");
    }
    text_add(&body, "]}");
    step = ask("updatesReceived", plan_updates_received, body.at);
    assert_args("|none|||c0|T:0|0|");
    assert_args("|c1|T:48|1|");
    ck_assert(!has_arg("c2"));
    for (; step == WORK_CALL; calls++) {
        fake_reply_strings(&work.call, calls == 0 ? (const char *const[]){"none", NULL}
                                                  : (const char *const[]){"c2", NULL});
        step = work.next(&work);
    }
    ck_assert_uint_eq(calls, 3);
    assert_contains(answer(), "\"unknown\":[\"none\",\"c2\"");
    text_deinit(&body);
}
END_TEST

START_TEST(receipts_that_come_late_pause_redelivery)
{
    ask("updatesReceived", plan_updates_received, "{\"v\":1,\"receipts\":[{\"client\":\"a\"}]}");
    assert_args("|2000|a|||"); /* they were accepted in 1970 */
}
END_TEST

START_TEST(a_failure_of_redis_is_answered)
{
    ask("updatesReceived", plan_updates_received, "{\"v\":1,\"receipts\":[{\"client\":\"a\"}]}");
    fake_reply(&work.call, "-ERR boom\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(answer(), "\"errorCode\":\"0\"");
}
END_TEST

/* ---- By hand ---- */

START_TEST(a_receipt_by_hand_names_no_send)
{
    ask("updatesReceived", plan_updates_received,
        "{\"classIdPairs\":[{\"className\":\"T\",\"ID\":\"1\"},{\"ID\":\"2\"}]}");
    assert_args("|c1|T:1||");
    ck_assert(!has_arg(":2"));
    assert_contains(answer_to((const char *const[]){NULL}), "\"result\":true");
}
END_TEST

START_TEST(a_receipt_by_hand_without_pairs_still_says_who_receives)
{
    ask("updatesReceived", plan_updates_received, "{\"classIdPairs\":null}");
    assert_args("|c1|||");
    assert_contains(answer_to((const char *const[]){NULL}), "\"result\":true");
}
END_TEST

START_TEST(a_receipt_by_hand_of_an_unknown_client_is_refused)
{
    ask("updatesReceived", plan_updates_received, "{\"classIdPairs\":[]}");
    assert_contains(answer_to((const char *const[]){"c1", NULL}), "\"errorCode\":\"-100\"");
}
END_TEST

START_TEST(pairs_by_hand_that_are_no_list_are_refused)
{
    ck_assert_int_eq(ask("updatesReceived", plan_updates_received, "{\"classIdPairs\":{\"a\":1}}"),
                     WORK_PUBLISH);
    assert_contains(answer(), "\"errorCode\":\"-115\"");
}
END_TEST

/* ---- Replies ---- */

START_TEST(reply_receipts_name_messages)
{
    ck_assert_int_eq(ask("repliesReceived", plan_replies_received,
                         "{\"v\":1,\"receipts\":[{\"client\":\"a\",\"ids\":[\"m1\",7,\"m2\"]},"
                         "{\"client\":\"b\",\"ids\":[\"m3\"]}]}"),
                     WORK_CALL);
    assert_args("|a|m1|a|m2|b|m3|");
    ck_assert_str_eq(answer_to((const char *const[]){"ok", NULL}), "{\"v\":1,\"unknown\":[]}");
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync receipts");

    tcase_add_checked_fixture(tc, set_up, handler_tear_down);
    tcase_add_test(tc, receipts_of_several_clients_are_settled_in_one_call);
    tcase_add_test(tc, receipts_for_deletes_say_so);
    tcase_add_test(tc, what_is_malformed_is_passed_over);
    tcase_add_test(tc, a_batch_without_receipts_asks_nothing);
    tcase_add_test(tc, clients_that_are_not_known_are_named);
    tcase_add_test(tc, a_huge_batch_is_settled_in_several_calls);
    tcase_add_test(tc, receipts_that_come_late_pause_redelivery);
    tcase_add_test(tc, a_failure_of_redis_is_answered);
    tcase_add_test(tc, a_receipt_by_hand_names_no_send);
    tcase_add_test(tc, a_receipt_by_hand_without_pairs_still_says_who_receives);
    tcase_add_test(tc, a_receipt_by_hand_of_an_unknown_client_is_refused);
    tcase_add_test(tc, pairs_by_hand_that_are_no_list_are_refused);
    tcase_add_test(tc, reply_receipts_name_messages);
    return unit_run_case("sync_receipts", tc);
}
