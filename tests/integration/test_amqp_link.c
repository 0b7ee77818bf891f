#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/amqp/amqp_link.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/protocol/format.h"
#include "common/thread/wake.h"
#include "tests/support/amqp_probe.h"
#include "tests/support/management.h"
#include "tests/support/unit.h"

/* amqp_link on a healthy connection; test_amqp_recovery.c has the others. */

static struct amqp_probe probe;

static void close_probe(void)
{
    amqp_probe_close(&probe);
}

static char *body_of(size_t size)
{
    char *body = malloc(size + 1);

    ck_assert_ptr_nonnull(body);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)('a' + i % 23);
    body[size] = '\0';
    return body;
}

/* ---- Publishing ---- */

START_TEST(each_publish_is_confirmed_once)
{
    const char *queue = amqp_probe_name();

    amqp_probe_open(&probe, NULL, queue);
    for (uint64_t i = 1; i <= 1000; i++)
        ck_assert_uint_eq(amqp_probe_say(&probe, queue, "{}"), i);
    amqp_probe_until(&probe, probe.confirmed == 1000 && probe.count == 1000);
    ck_assert_uint_eq(probe.told, 1000);
}
END_TEST

START_TEST(a_message_to_no_queue_is_returned_and_its_neighbours_are_confirmed)
{
    const char *queue = amqp_probe_name();

    amqp_probe_open(&probe, NULL, queue);
    for (int i = 0; i < 300; i++)
        amqp_probe_say(&probe, i % 3 ? queue : "test-no-such-queue", "{}");
    amqp_probe_until(&probe, probe.told == 300 && probe.count == 200);
    ck_assert_uint_eq(probe.returned, 100);
    ck_assert_uint_eq(probe.confirmed, 200);
}
END_TEST

START_TEST(without_mandatory_a_message_to_no_queue_is_confirmed)
{
    struct msg m = {.queue = "test-no-such-queue", .body = "{}", .size = 2};

    amqp_probe_open(&probe, NULL, NULL);
    amqp_probe_publish(&probe, &m);
    amqp_probe_until(&probe, probe.told == 1);
    ck_assert_uint_eq(probe.confirmed, 1);
}
END_TEST

START_TEST(a_full_queue_refuses)
{
    const char *queue = amqp_probe_name();
    _cleanup_(text_deinitp) struct text path = {0};

    text_addf(&path, "/queues/{vhost}/%s", queue);
    ck_assert_int_eq(management_call("PUT", text_str(&path),
                                     "{\"durable\":false,\"arguments\":{\"x-max-length\":2,"
                                     "\"x-overflow\":\"reject-publish\",\"x-expires\":60000}}"),
                     201);
    amqp_probe_open(&probe, NULL, NULL);
    for (int i = 0; i < 10; i++)
        amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.told == 10);
    ck_assert_uint_eq(probe.refused + probe.confirmed, 10);
    ck_assert_uint_ge(probe.refused, 7); /* the limit may be passed by the one under way */
    ck_assert_uint_ge(probe.confirmed, 2);
}
END_TEST

START_TEST(what_does_not_fit_is_refused_and_harms_nobody)
{
    const char *queue = amqp_probe_name();
    char *text = body_of(100000);
    char *body = body_of(AMQP_BODY_LIMIT + 1);
    struct msg m = {.queue = queue, .client = text, .body = "{}", .size = 2};

    amqp_probe_open(&probe, NULL, queue);
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_RANGE);
    m.client = NULL;
    m.body = body;
    m.size = AMQP_BODY_LIMIT + 1;
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_RANGE);
    m.size = 2;
    text[256] = '\0';
    m.message_id = text;
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_RANGE);
    text[255] = '\0';
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_OK);
    amqp_probe_until(&probe, probe.count == 1 && probe.confirmed == 1);
    ck_assert_str_eq(probe.messages[0]->message_id, text);
    ck_assert_int_eq(probe.downs, 0);
    free(text);
    free(body);
}
END_TEST

START_TEST(bodies_of_all_sizes_arrive_whole_and_in_order)
{
    static const size_t sizes[] = {0,      1,       131064,  131065, 262128,
                                   524288, 1048576, 8388608, 3,      AMQP_BODY_LIMIT};
    const char *queue = amqp_probe_name();
    char *body = body_of(AMQP_BODY_LIMIT);
    struct msg m = {.queue = queue, .body = body};

    amqp_probe_open(&probe, NULL, queue);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        m.size = sizes[i];
        amqp_probe_publish(&probe, &m);
    }
    amqp_probe_until(&probe,
                     probe.count == ARRAY_SIZE(sizes) && probe.confirmed == ARRAY_SIZE(sizes));
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        ck_assert_uint_eq(probe.messages[i]->size, sizes[i]);
        ck_assert_int_eq(memcmp(probe.messages[i]->body, body, sizes[i]), 0);
    }
    free(body);
}
END_TEST

START_TEST(ten_thousand_messages_come_and_are_confirmed)
{
    const char *queue = amqp_probe_name();

    amqp_probe_open(&probe, NULL, queue);
    probe.acknowledges = true;
    for (int i = 0; i < 10000; i++)
        amqp_probe_say(&probe, queue, "{\"text\":\"hello\"}");
    amqp_probe_until(&probe, probe.count == 10000 && probe.confirmed == 10000);
}
END_TEST

/* ---- What a message carries ---- */

START_TEST(properties_and_headers_travel)
{
    const char *queue = amqp_probe_name();
    struct msg m = {
        .queue = queue,
        .type = "putObject",
        .message_id = "m-1",
        .correlation_id = "18446744073709551615",
        .reply_to = "gateway.1",
        .app_id = "test",
        .timestamp_ms = 1767225600123,
        .expiration_ms = 4000000000,
        .persistent = true,
        .mandatory = true,
        .client = "c-\xc3\xbc",
        .user = "u",
        .device = "",
        .dialect = "activestack",
        .address = "2001:db8::1",
        .reason = "close",
        .accepted_ms = 9007199254740993,
        .keep = 1,
        .code = 4001,
        .format = FORMAT_WRITTEN,
        .body = "{\"a\":1}",
        .size = 7,
    };
    const struct msg *got;

    amqp_probe_open(&probe, NULL, queue);
    amqp_probe_publish(&probe, &m);
    amqp_probe_until(&probe, probe.count == 1);
    got = probe.messages[0];
    ck_assert_str_eq(got->queue, queue);
    ck_assert_str_eq(got->type, "putObject");
    ck_assert_str_eq(got->message_id, "m-1");
    ck_assert_str_eq(got->correlation_id, "18446744073709551615");
    ck_assert_str_eq(got->reply_to, "gateway.1");
    ck_assert_str_eq(got->app_id, "test");
    ck_assert_int_eq(got->timestamp_ms, 1767225600000); /* AMQP has seconds */
    ck_assert_uint_eq(got->expiration_ms, 4000000000);
    ck_assert(got->persistent);
    ck_assert_str_eq(got->client, "c-\xc3\xbc");
    ck_assert_str_eq(got->user, "u");
    ck_assert_str_eq(got->device, "");
    ck_assert_str_eq(got->dialect, "activestack");
    ck_assert_str_eq(got->address, "2001:db8::1");
    ck_assert_str_eq(got->reason, "close");
    ck_assert_int_eq(got->accepted_ms, 9007199254740993);
    ck_assert_uint_eq(got->keep, 1);
    ck_assert_int_eq(got->code, 4001);
    ck_assert_uint_eq(got->format, FORMAT_WRITTEN);
    ck_assert_str_eq(got->body, "{\"a\":1}");
    ck_assert(!probe.redelivered[0]);
}
END_TEST

START_TEST(what_is_absent_stays_absent)
{
    const char *queue = amqp_probe_name();
    struct msg m = {.queue = queue, .body = "", .size = 0};
    const struct msg *got;

    amqp_probe_open(&probe, NULL, queue);
    amqp_probe_publish(&probe, &m);
    amqp_probe_until(&probe, probe.count == 1);
    got = probe.messages[0];
    ck_assert(!got->type && !got->message_id && !got->correlation_id && !got->reply_to);
    ck_assert(!got->app_id && !got->client && !got->user && !got->device && !got->dialect);
    ck_assert(!got->timestamp_ms && !got->expiration_ms && !got->accepted_ms);
    ck_assert(!got->keep && !got->code && !got->format && !got->persistent && !got->reason);
    ck_assert_str_eq(got->body, "");
}
END_TEST

static void publish_by_hand(const char *queue, const char *properties, const char *body)
{
    _cleanup_(text_deinitp) struct text request = {0};

    text_addf(&request, "{\"routing_key\":\"%s\",\"payload_encoding\":\"string\",", queue);
    text_addf(&request, "\"properties\":%s,\"payload\":\"%s\"}", properties, body);
    ck_assert_int_eq(
        management_call("POST", "/exchanges/{vhost}/amq.default/publish", text_str(&request)), 200);
}

START_TEST(messages_by_hand_are_delivered_whatever_their_headers)
{
    const char *queue = amqp_probe_name();
    const struct msg *odd;

    amqp_probe_open(&probe, NULL, queue);
    publish_by_hand(queue, "{}", "bare");
    publish_by_hand(queue,
                    "{\"headers\":{\"client\":12,\"keep\":\"34\",\"accepted\":1.5,\"v\":true,"
                    "\"user\":{\"a\":[1]},\"device\":[],\"dialect\":{},\"code\":\"4x\",\"n\":1,"
                    "\"unknown\":{}},\"expiration\":\"60000\",\"timestamp\":1767225600}",
                    "odd");
    amqp_probe_until(&probe, probe.count == 2);
    ck_assert_str_eq(probe.messages[0]->body, "bare");
    ck_assert_ptr_null(probe.messages[0]->client);
    odd = probe.messages[1];
    ck_assert_str_eq(odd->body, "odd");
    ck_assert_str_eq(odd->client, "12");
    ck_assert_uint_eq(odd->keep, 34);
    ck_assert_int_eq(odd->accepted_ms, 1);
    ck_assert(!odd->user && !odd->device);
    ck_assert(!odd->dialect && !odd->code);
    ck_assert_uint_eq(odd->expiration_ms, 60000);
    ck_assert_int_eq(odd->timestamp_ms, 1767225600000);
    ck_assert_uint_eq(probe.told, 0); /* a foreign number is no publish of ours */
}
END_TEST

START_TEST(an_absurdly_large_delivery_is_refused_unseen)
{
    const char *queue = amqp_probe_name();
    struct amqp_queue queues[] = {
        {.name = queue, .transient_expiring = true, .expires_ms = 60000, .consume = true}};

    amqp_probe_start(&probe,
                     (struct amqp_link_config){.prefetch = 1, .queues = queues, .queue_count = 1});
    amqp_probe_until(&probe, probe.ups);
    amqp_probe_say_too_much(queue);
    amqp_probe_say(&probe, queue, "next"); /* would not come while that one is unsettled */
    amqp_probe_until(&probe, probe.count == 1);
    ck_assert_str_eq(probe.messages[0]->body, "next");
    ck_assert_int_eq(probe.downs, 0);
}
END_TEST

/* ---- Consuming ---- */

START_TEST(a_rejected_message_comes_again_only_if_asked_for)
{
    const char *queue = amqp_probe_name();

    amqp_probe_open(&probe, NULL, queue);
    amqp_probe_say(&probe, queue, "again");
    amqp_probe_until(&probe, probe.count == 1);
    amqp_link_reject(probe.link, probe.tags[0], true);
    amqp_probe_until(&probe, probe.count == 2);
    ck_assert_str_eq(probe.messages[1]->body, "again");
    ck_assert(probe.redelivered[1]);
    amqp_link_reject(probe.link, probe.tags[1], false);
    amqp_probe_say(&probe, queue, "other");
    amqp_probe_until(&probe, probe.count == 3);
    ck_assert_str_eq(probe.messages[2]->body, "other");
}
END_TEST

START_TEST(prefetch_bounds_what_is_unacknowledged_and_multiple_frees_all)
{
    const char *queue = amqp_probe_name();
    struct amqp_queue queues[] = {
        {.name = queue, .transient_expiring = true, .expires_ms = 60000, .consume = true}};

    amqp_probe_start(&probe,
                     (struct amqp_link_config){.prefetch = 5, .queues = queues, .queue_count = 1});
    amqp_probe_until(&probe, probe.ups);
    for (int i = 0; i < 10; i++)
        amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.confirmed == 10 && probe.count >= 5);
    ck_assert_uint_eq(probe.count, 5);
    amqp_link_ack(probe.link, probe.tags[4], true);
    amqp_probe_until(&probe, probe.count == 10);
}
END_TEST

START_TEST(after_stop_consuming_the_queue_has_no_consumer)
{
    const char *queue = amqp_probe_name();
    _cleanup_(text_deinitp) struct text path = {0};

    amqp_probe_open(&probe, NULL, queue);
    amqp_probe_say(&probe, queue, "before");
    amqp_probe_until(&probe, probe.count == 1 && probe.confirmed == 1);
    amqp_link_ack(probe.link, probe.tags[0], false);
    text_addf(&path, "/queues/{vhost}/%s?if-unused=true", queue);
    ck_assert_int_eq(management_call("DELETE", path.at, NULL), 400); /* it is used */
    amqp_link_stop_consuming(probe.link);
    amqp_probe_until(&probe, management_call("DELETE", path.at, NULL) == 204);
    ck_assert_int_eq(probe.downs, 0);
}
END_TEST

START_TEST(a_wake_ends_the_sleep_of_a_turn)
{
    _cleanup_(wake_destroyp) struct wake *wake = NULL;
    int64_t start_ms;

    ck_assert_int_eq(wake_create(&wake), ERR_OK);
    amqp_probe_open(&probe, NULL, NULL);
    while (amqp_link_turn(probe.link, -1, 0))
        ;
    wake_signal(wake);
    start_ms = clock_mono_ms();
    ck_assert(!amqp_link_turn(probe.link, wake_fd(wake), 60000));
    ck_assert_int_lt(clock_mono_ms() - start_ms, 60000);
}
END_TEST

/* ---- Configuration ---- */

START_TEST(a_wrong_url_is_told_at_once)
{
    static const char *const urls[] = {"", "localhost", "http://localhost/", "amqp://a:b@h:x/",
                                       "amqps://a:b@h:x/"};
    struct amqp_link *link = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        struct amqp_link_config config = {.url = urls[i], .connection_name = "test"};

        ck_assert_msg(amqp_link_create(&config, &link) == ERR_CONFIG, "%s", urls[i]);
    }
    ck_assert_ptr_null(link);
}
END_TEST

static const TTest *const *const tests[] = {
    &each_publish_is_confirmed_once,
    &a_message_to_no_queue_is_returned_and_its_neighbours_are_confirmed,
    &without_mandatory_a_message_to_no_queue_is_confirmed,
    &a_full_queue_refuses,
    &what_does_not_fit_is_refused_and_harms_nobody,
    &bodies_of_all_sizes_arrive_whole_and_in_order,
    &ten_thousand_messages_come_and_are_confirmed,
    &properties_and_headers_travel,
    &what_is_absent_stays_absent,
    &messages_by_hand_are_delivered_whatever_their_headers,
    &an_absurdly_large_delivery_is_refused_unseen,
    &a_rejected_message_comes_again_only_if_asked_for,
    &prefetch_bounds_what_is_unacknowledged_and_multiple_frees_all,
    &after_stop_consuming_the_queue_has_no_consumer,
    &a_wake_ends_the_sleep_of_a_turn,
    &a_wrong_url_is_told_at_once,
};

int main(void)
{
    TCase *t;

    if (!getenv("AMQP_URL") || !getenv("MANAGEMENT_URL")) {
        puts("skipped: AMQP_URL and MANAGEMENT_URL name no broker");
        return 77;
    }
    t = tcase_create("amqp_link");
    tcase_add_checked_fixture(t, NULL, close_probe);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(t, *tests[i]);
    return unit_run_case("amqp_link", t);
}
