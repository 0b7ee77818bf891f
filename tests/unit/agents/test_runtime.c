#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "agents/runtime/acks.h"
#include "agents/runtime/awaited.h"
#include "agents/runtime/counts.h"
#include "agents/runtime/line.h"
#include "agents/runtime/queues.h"
#include "agents/runtime/request.h"
#include "tests/support/unit.h"

/* ---- line ---- */

START_TEST(a_line_gives_back_in_the_order_of_pushing)
{
    struct line line = {0};
    int items[1000];

    for (size_t i = 0; i < 1000; i++) {
        line_push(&line, &items[i]);
        if (i % 3 == 0)
            ck_assert_ptr_eq(line_pop(&line), &items[i / 3]);
    }
    ck_assert_ptr_eq(line_at(&line, 1), &items[335]);
    for (size_t i = 334; i < 1000; i++)
        ck_assert_ptr_eq(line_pop(&line), &items[i]);
    ck_assert_ptr_null(line_pop(&line));
    line_deinit(&line);
}
END_TEST

/* ---- acks ---- */

START_TEST(an_acknowledgement_waits_for_the_oldest)
{
    struct acks acks = {0};

    for (uint64_t tag = 1; tag <= 3; tag++)
        acks_begin(&acks, tag);
    acks_settle(&acks, 2);
    acks_settle(&acks, 3);
    ck_assert_uint_eq(acks_take(&acks), 0);
    acks_settle(&acks, 1);
    ck_assert_uint_eq(acks_take(&acks), 3);
    ck_assert_uint_eq(acks_take(&acks), 0);
    acks_deinit(&acks);
}
END_TEST

START_TEST(many_unsettled_deliveries_keep_their_place)
{
    struct acks acks = {0};

    for (uint64_t tag = 1; tag <= 5000; tag++)
        acks_begin(&acks, tag);
    for (uint64_t tag = 5000; tag > 1; tag--)
        acks_settle(&acks, tag);
    ck_assert_uint_eq(acks_take(&acks), 0);
    acks_settle(&acks, 1);
    ck_assert_uint_eq(acks_take(&acks), 5000);
    acks_deinit(&acks);
}
END_TEST

START_TEST(a_new_link_counts_its_tags_from_one)
{
    struct acks acks = {0};

    acks_begin(&acks, 1);
    acks_settle(&acks, 1);
    acks_begin(&acks, 2);
    acks_reset(&acks);
    ck_assert_uint_eq(acks_take(&acks), 0);
    acks_begin(&acks, 1);
    ck_assert_uint_eq(acks_take(&acks), 0);
    acks_settle(&acks, 1);
    ck_assert_uint_eq(acks_take(&acks), 1);
    acks_deinit(&acks);
}
END_TEST

/* ---- awaited ---- */

START_TEST(each_publish_number_leads_to_what_waits_for_it)
{
    struct awaited_ring ring = {0};
    int items[5000];

    awaited_reset(&ring);
    for (uint64_t n = 1; n <= 5000; n++)
        awaited_add(&ring, n, &items[n - 1], (size_t)n % 7);
    ck_assert_ptr_eq(awaited_take(&ring, 4999).item, &items[4998]);
    ck_assert_ptr_null(awaited_take(&ring, 4999).item);
    for (uint64_t n = 1; n <= 5000; n++) {
        if (n != 4999)
            ck_assert_ptr_eq(awaited_take(&ring, n).item, &items[n - 1]);
    }
    awaited_add(&ring, 5001, &items[0], 3);
    ck_assert_uint_eq(awaited_take(&ring, 5001).part, 3);
    awaited_deinit(&ring);
}
END_TEST

/* ---- counts ---- */

START_TEST(a_queue_is_asked_about_once_for_all_who_wait)
{
    struct counts counts = {0};
    struct line waiting;
    int items[3];
    int64_t consumers;

    counts_wait(&counts, "process.a", &items[0]);
    counts_wait(&counts, "process.b", &items[1]);
    counts_wait(&counts, "process.a", &items[2]);
    ck_assert_str_eq(counts_unasked(&counts), "process.a");
    counts_asked(&counts);
    ck_assert_str_eq(counts_unasked(&counts), "process.b");
    counts_asked(&counts);
    ck_assert_ptr_null(counts_unasked(&counts));
    waiting = counts_answered(&counts, "process.a", 4, 1000);
    ck_assert_ptr_eq(line_pop(&waiting), &items[0]);
    ck_assert_ptr_eq(line_pop(&waiting), &items[2]);
    ck_assert_ptr_null(line_pop(&waiting));
    line_deinit(&waiting);
    ck_assert(!counts_known(&counts, "process.b", 0, &consumers));
    ck_assert(counts_known(&counts, "process.a", 999, &consumers));
    ck_assert_int_eq(consumers, 4);
    counts_deinit(&counts);
}
END_TEST

START_TEST(a_count_is_fresh_for_its_time_and_asked_anew_behind_it)
{
    struct counts counts = {0};
    struct line waiting;
    int item;
    int64_t consumers;

    counts_wait(&counts, "process.a", &item);
    counts_asked(&counts);
    waiting = counts_answered(&counts, "process.a", -1, 1000);
    line_deinit(&waiting);
    ck_assert(counts_known(&counts, "process.a", 999, &consumers));
    ck_assert_int_eq(consumers, -1);
    ck_assert(!counts_known(&counts, "process.a", 1000, &consumers));
    counts_wait(&counts, "process.a", &item);
    ck_assert_str_eq(counts_unasked(&counts), "process.a");
    counts_deinit(&counts);
}
END_TEST

START_TEST(with_the_link_goes_who_waits_and_what_is_known)
{
    struct counts counts = {0};
    struct line waiting;
    int items[2];
    int64_t consumers;

    waiting = counts_answered(&counts, "process.never-asked", 1, 1000);
    ck_assert_ptr_null(line_pop(&waiting));
    counts_wait(&counts, "process.a", &items[0]);
    counts_reset(&counts);
    ck_assert_ptr_null(counts_unasked(&counts));
    counts_wait(&counts, "process.a", &items[1]);
    ck_assert_str_eq(counts_unasked(&counts), "process.a");
    waiting = counts_answered(&counts, "process.a", 1, 1000);
    ck_assert_ptr_eq(line_pop(&waiting), &items[1]);
    ck_assert_ptr_null(line_pop(&waiting));
    line_deinit(&waiting);
    counts_reset(&counts);
    ck_assert(!counts_known(&counts, "process.a", 0, &consumers));
    counts_deinit(&counts);
}
END_TEST

/* ---- queues ---- */

START_TEST(a_queue_is_listed_once)
{
    struct queues queues = {0};

    queues_add(&queues, &(struct amqp_queue){.name = "findById", .consume = true});
    queues_add(&queues, &(struct amqp_queue){.name = "process.HTTP", .quorum = true});
    queues_add(&queues, &(struct amqp_queue){.name = "process.HTTP"});
    ck_assert_uint_eq(queues.count, 2);
    ck_assert(queues.at[0].consume && !queues.at[0].quorum);
    ck_assert(queues.at[1].quorum);
    queues_deinit(&queues);
}
END_TEST

/* ---- request ---- */

static enum err read_request(struct request *request, struct msg m, struct text *problem)
{
    m.queue = "findById";
    m.size = strlen(m.body);
    return request_read(request, operation_by_name("findById", 8), &m, problem);
}

START_TEST(headers_say_who_asks_whatever_the_body_says)
{
    struct request request;
    struct text problem = {0};

    ck_assert_int_eq(read_request(&request,
                                  (struct msg){.client = "c1",
                                               .user = "u1",
                                               .device = "d1",
                                               .address = "192.0.2.1",
                                               .message_id = "m1",
                                               .accepted_ms = 1234,
                                               .body = "{\"clientId\":\"other\",\"userId\":\"x\"}"},
                                  &problem),
                     ERR_OK);
    ck_assert_str_eq(request.client, "c1");
    ck_assert_str_eq(request.user, "u1");
    ck_assert_str_eq(request.device, "d1");
    ck_assert_str_eq(request.address, "192.0.2.1");
    ck_assert_str_eq(request.message_id, "m1");
    ck_assert_int_eq(request.accepted_ms, 1234);
    request_deinit(&request);
}
END_TEST

START_TEST(nothing_in_a_frame_of_the_content_protocol_says_who_asks)
{
    struct request request;
    struct text problem = {0};

    ck_assert_int_eq(read_request(&request,
                                  (struct msg){.client = "c1",
                                               .dialect = "content",
                                               .body = "{\"userId\":\"x\",\"deviceId\":7,"
                                                       "\"data\":{\"key\":1}}"},
                                  &problem),
                     ERR_OK);
    ck_assert(request_is_content(&request));
    ck_assert_str_eq(request.client, "c1");
    ck_assert_str_eq(request.user, "");
    ck_assert_ptr_null(request.message_id);
    ck_assert_int_eq(json_kind(request_data(&request)), JSON_OBJECT);
    request_deinit(&request);
}
END_TEST

START_TEST(a_message_published_by_hand_is_read_from_its_body)
{
    struct request request;
    struct text problem = {0};

    ck_assert_int_eq(
        read_request(&request,
                     (struct msg){.body = "{\"clientId\":\"c\\u0031\",\"userId\":\"u1\","
                                          "\"deviceId\":null,\"messageId\":\"m\"}"},
                     &problem),
        ERR_OK);
    ck_assert_str_eq(request.client, "c1");
    ck_assert_str_eq(request.user, "u1");
    ck_assert_str_eq(request.device, "");
    ck_assert_str_eq(request.address, "");
    ck_assert_str_eq(request.message_id, "m");
    ck_assert_int_gt(request.accepted_ms, 1600000000000);
    request_deinit(&request);
}
END_TEST

START_TEST(what_is_kept_unread_may_be_anything)
{
    struct request request;

    request_keep(&request, operation_by_name("findById", 8),
                 &(struct msg){.queue = "findById",
                               .user = "u1",
                               .correlation_id = "7",
                               .accepted_ms = 5,
                               .body = "{\"clientId\":\"c1\"}\0no JSON",
                               .size = 25});
    ck_assert_uint_eq(request.msg->size, 25);
    ck_assert_str_eq(request.msg->body + 18, "no JSON");
    ck_assert_str_eq(request.msg->correlation_id, "7");
    ck_assert_str_eq(request.client, "");
    ck_assert_str_eq(request.told, "");
    ck_assert_str_eq(request.user, "u1");
    ck_assert_str_eq(request.device, "");
    ck_assert_ptr_null(request.message_id);
    ck_assert_int_eq(request.accepted_ms, 5);
    ck_assert_int_eq(json_kind(request.body), JSON_OBJECT);
    request_deinit(&request);
}
END_TEST

static const struct {
    const char *body, *problem;
} bad_bodies[] = {
    {"", "not JSON at byte 0"},
    {"{\"a\":", "not JSON at byte 5"},
    {"[1]", "expected an object, found array"},
    {"{\"messageId\":7}", "messageId: expected a string, found number"},
    {"{\"clientId\":[]}", "clientId: expected a string, found array"},
    {"{\"clientId\":\"a\\u0000b\"}", "clientId: expected at most 512 bytes without NUL"},
};

START_TEST(what_is_no_request_is_refused_with_the_reason)
{
    struct request request;
    _cleanup_(text_deinitp) struct text problem = {0};

    ck_assert_int_eq(
        read_request(&request, (struct msg){.client = "c", .body = bad_bodies[_i].body}, &problem),
        bad_bodies[_i].problem[0] == 'c' ? ERR_OK : ERR_MALFORMED);
    if (bad_bodies[_i].problem[0] != 'c')
        ck_assert(strstr(problem.at, bad_bodies[_i].problem) == problem.at);
    ck_assert_str_eq(request.client, "c"); /* enough for an answer */
    request_deinit(&request);
}
END_TEST

START_TEST(a_missing_empty_or_long_string_is_told_by_its_name)
{
    struct request request;
    struct text problem = {0};
    char *value = NULL;

    ck_assert_int_eq(read_request(&request,
                                  (struct msg){.body = "{\"a\":\"\",\"b\":1,\"c\":\"12345\"}"},
                                  &problem),
                     ERR_OK);
    ck_assert_int_eq(request_string(&request, "a", 4, &value, &problem), ERR_MALFORMED);
    ck_assert_int_eq(request_string(&request, "b", 4, &value, &problem), ERR_MALFORMED);
    ck_assert_int_eq(request_string(&request, "c", 4, &value, &problem), ERR_MALFORMED);
    ck_assert_int_eq(request_string(&request, "d", 4, &value, &problem), ERR_MALFORMED);
    ck_assert_ptr_nonnull(strstr(problem.at, "b: expected a string, found number"));
    ck_assert_int_eq(request_string(&request, "c", 5, &value, &problem), ERR_OK);
    ck_assert_str_eq(value, "12345");
    free(value);
    text_deinit(&problem);
    request_deinit(&request);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("runtime");

    tcase_add_test(tc, a_line_gives_back_in_the_order_of_pushing);
    tcase_add_test(tc, an_acknowledgement_waits_for_the_oldest);
    tcase_add_test(tc, many_unsettled_deliveries_keep_their_place);
    tcase_add_test(tc, a_new_link_counts_its_tags_from_one);
    tcase_add_test(tc, each_publish_number_leads_to_what_waits_for_it);
    tcase_add_test(tc, a_queue_is_asked_about_once_for_all_who_wait);
    tcase_add_test(tc, a_count_is_fresh_for_its_time_and_asked_anew_behind_it);
    tcase_add_test(tc, with_the_link_goes_who_waits_and_what_is_known);
    tcase_add_test(tc, a_queue_is_listed_once);
    tcase_add_test(tc, what_is_kept_unread_may_be_anything);
    tcase_add_test(tc, headers_say_who_asks_whatever_the_body_says);
    tcase_add_test(tc, nothing_in_a_frame_of_the_content_protocol_says_who_asks);
    tcase_add_test(tc, a_message_published_by_hand_is_read_from_its_body);
    tcase_add_loop_test(tc, what_is_no_request_is_refused_with_the_reason, 0,
                        ARRAY_SIZE(bad_bodies));
    tcase_add_test(tc, a_missing_empty_or_long_string_is_told_by_its_name);
    return unit_run_case("runtime", tc);
}
