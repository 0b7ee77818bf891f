#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/amqp/amqp_link.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "tests/support/amqp_probe.h"
#include "tests/support/management.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/unit.h"

/* amqp_link on a connection that is cut, stalled, blocked, closed, or speaks nonsense. */

static struct amqp_probe probe;
static struct tcp_proxy *proxy;

static void start_proxy(void)
{
    proxy = tcp_proxy_start(getenv("AMQP_URL"));
}

static void stop_proxy(void)
{
    tcp_proxy_resume(proxy); /* so that the link can say goodbye */
    amqp_probe_close(&probe);
    tcp_proxy_stop(proxy);
}

static void open_through_proxy(const char *queue)
{
    amqp_probe_open(&probe, tcp_proxy_url(proxy), queue);
}

/* ---- Cuts ---- */

START_TEST(a_cut_link_comes_back_and_declares_and_consumes_anew)
{
    const char *queue = amqp_probe_name();

    open_through_proxy(queue);
    amqp_probe_say(&probe, queue, "before");
    amqp_probe_until(&probe, probe.count == 1);
    amqp_link_ack(probe.link, probe.tags[0], false);
    for (int i = 1; i <= 3; i++) {
        tcp_proxy_cut(proxy);
        amqp_probe_until(&probe, probe.downs == i && probe.ups == i + 1);
        ck_assert_uint_eq(amqp_probe_say(&probe, queue, "after"), 1); /* numbers start again */
        amqp_probe_until(&probe, probe.messages[probe.count - 1]->body[0] == 'a');
    }
}
END_TEST

START_TEST(unacknowledged_messages_come_again_after_a_cut)
{
    const char *queue = amqp_probe_name();

    open_through_proxy(queue);
    for (int i = 0; i < 10; i++)
        amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 10 && probe.confirmed == 10);
    amqp_link_ack(probe.link, probe.tags[3], true);
    /* A confirm proves that the broker has read what was sent before it. */
    amqp_probe_say(&probe, "test-no-such-queue", "{}");
    amqp_probe_until(&probe, probe.told == 11);
    tcp_proxy_cut(proxy);
    amqp_probe_until(&probe, probe.ups == 2 && probe.count >= 16);
    ck_assert_uint_eq(probe.count, 16);
    for (size_t i = 10; i < 16; i++)
        ck_assert(probe.redelivered[i]);
}
END_TEST

START_TEST(while_down_nothing_can_be_published_or_acknowledged)
{
    const char *queue = amqp_probe_name();
    struct msg m = {.queue = queue, .body = "{}", .size = 2};

    open_through_proxy(queue);
    tcp_proxy_cut(proxy);
    amqp_probe_until(&probe, probe.downs == 1);
    ck_assert(!amqp_link_is_up(probe.link));
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_AWAY);
    amqp_link_ack(probe.link, 1, true);
    amqp_link_reject(probe.link, 1, true);
    amqp_probe_until(&probe, probe.ups == 2);
    amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 1);
    ck_assert_int_eq(probe.downs, 1);
}
END_TEST

START_TEST(a_link_that_stopped_consuming_does_not_begin_again_after_a_cut)
{
    const char *queue = amqp_probe_name();

    open_through_proxy(queue);
    amqp_link_stop_consuming(probe.link);
    tcp_proxy_cut(proxy);
    amqp_probe_until(&probe, probe.ups == 2);
    for (uint64_t i = 1; i <= 2; i++) {
        amqp_probe_say(&probe, queue, "{}");
        amqp_probe_until(&probe, probe.confirmed == i); /* a delivery would have come with it */
    }
    ck_assert_uint_eq(probe.count, 0);
}
END_TEST

START_TEST(a_large_message_that_was_cut_in_two_is_forgotten)
{
    const char *queue = amqp_probe_name();
    char *body = calloc(1, AMQP_BODY_LIMIT);
    struct msg m = {.queue = queue, .body = body, .size = AMQP_BODY_LIMIT};

    open_through_proxy(queue);
    tcp_proxy_stall(proxy);
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_OK);
    tcp_proxy_cut(proxy);
    tcp_proxy_resume(proxy);
    amqp_probe_until(&probe, probe.ups == 2);
    amqp_probe_say(&probe, queue, "next");
    amqp_probe_until(&probe, probe.count == 1);
    ck_assert_str_eq(probe.messages[0]->body, "next");
    free(body);
}
END_TEST

/* ---- A broker that does not read, or says nothing ---- */

START_TEST(publishing_to_a_stalled_broker_never_blocks_and_loses_nothing)
{
    const char *queue = amqp_probe_name();
    char *body = calloc(1, 20000);
    struct msg m = {.queue = queue, .body = body, .size = 20000};
    uint64_t sent = 0;
    int64_t longest_ms = 0;
    enum err e;

    open_through_proxy(queue);
    tcp_proxy_stall(proxy);
    do {
        int64_t start_ms = clock_mono_ms();

        e = amqp_link_publish(probe.link, &m, NULL);
        if (clock_mono_ms() - start_ms > longest_ms)
            longest_ms = clock_mono_ms() - start_ms;
        sent += e == ERR_OK;
    } while (e == ERR_OK);
    ck_assert_int_eq(e, ERR_FULL);
    ck_assert_uint_gt(sent, 5);
    ck_assert_int_lt(longest_ms, 5000);
    ck_assert(!amqp_link_turn(probe.link, -1, 1000)); /* it is quiet, not down */

    tcp_proxy_resume(proxy);
    for (; sent < 500; sent++)
        amqp_probe_publish(&probe, &m);
    amqp_probe_until(&probe, probe.confirmed == 500 && probe.count == 500);
    ck_assert_int_eq(probe.downs, 0);
    free(body);
}
END_TEST

START_TEST(acknowledgements_pass_between_the_pieces_of_a_large_message)
{
    const char *queue = amqp_probe_name();
    char *body = calloc(1, AMQP_BODY_LIMIT);
    struct msg m = {.queue = queue, .body = body, .size = AMQP_BODY_LIMIT};

    open_through_proxy(queue);
    for (int i = 0; i < 100; i++)
        amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 100 && probe.confirmed == 100);
    tcp_proxy_stall(proxy);
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_OK);
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_FULL); /* it is still leaving */
    for (int i = 0; i < 100; i++)
        amqp_link_ack(probe.link, probe.tags[i], false);
    tcp_proxy_resume(proxy);
    amqp_probe_until(&probe, probe.count == 101 && probe.confirmed == 101);
    ck_assert_uint_eq(probe.messages[100]->size, AMQP_BODY_LIMIT);
    amqp_link_ack(probe.link, probe.tags[100], false);
    tcp_proxy_cut(proxy);
    amqp_probe_until(&probe, probe.ups == 2);
    amqp_probe_say(&probe, queue, "last");
    amqp_probe_until(&probe, !strcmp(probe.messages[probe.count - 1]->body, "last"));
    ck_assert_uint_le(probe.count, 103); /* at most the large one, whose ack the cut may have hit */
    free(body);
}
END_TEST

START_TEST(a_broker_that_falls_silent_is_left)
{
    amqp_probe_start(&probe,
                     (struct amqp_link_config){.url = tcp_proxy_url(proxy), .heartbeat_s = 1});
    amqp_probe_until(&probe, probe.ups == 1);
    tcp_proxy_stall(proxy);
    amqp_probe_until(&probe, probe.downs == 1);
    tcp_proxy_resume(proxy);
    amqp_probe_until(&probe, probe.ups == 2);
}
END_TEST

START_TEST(heartbeats_keep_an_idle_link_up)
{
    int64_t end_ms;

    amqp_probe_start(&probe,
                     (struct amqp_link_config){.url = tcp_proxy_url(proxy), .heartbeat_s = 3});
    amqp_probe_until(&probe, probe.ups == 1);
    end_ms = clock_mono_ms() + 12000; /* the broker hangs up after two missed ones */
    amqp_probe_until(&probe, clock_mono_ms() > end_ms);
    ck_assert_int_eq(probe.downs, 0);
}
END_TEST

/* ---- What the broker may say ---- */

#define FRAME_AROUND 12 /* bytes of a method frame before and behind the arguments */

/* A method frame on channel 0; returns its size. */
static size_t write_method(uint8_t frame[256], uint8_t method, const void *arguments, uint8_t size)
{
    const uint8_t head[] = {1, 0, 0, 0, 0, 0, (uint8_t)(4 + size), 0, 10, 0, method};

    memcpy(frame, head, sizeof(head));
    memcpy(frame + sizeof(head), arguments, size);
    frame[sizeof(head) + size] = 0xCE;
    return size + (size_t)FRAME_AROUND;
}

static void inject_method(uint8_t method, const void *arguments, uint8_t size)
{
    uint8_t frame[256];

    tcp_proxy_inject(proxy, frame, write_method(frame, method, arguments, size));
}

START_TEST(a_blocked_link_refuses_until_it_is_unblocked)
{
    const char *queue = amqp_probe_name();
    struct msg m = {.queue = queue, .body = "{}", .size = 2};

    open_through_proxy(queue);
    inject_method(60, "\012low memory", 11);
    amqp_probe_until(&probe, probe.blocks == 1);
    ck_assert_int_eq(amqp_link_publish(probe.link, &m, NULL), ERR_FULL);
    ck_assert(amqp_link_is_up(probe.link));
    inject_method(61, "", 0);
    amqp_probe_until(&probe, probe.unblocks == 1);
    amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 1);
}
END_TEST

START_TEST(a_connection_that_the_broker_closes_is_made_again)
{
    /* 320 CONNECTION_FORCED, a text, no method */
    static const char close[] = "\x01\x40\x08shutdown\0\0\0\0";
    const char *queue = amqp_probe_name();

    open_through_proxy(queue);
    inject_method(50, close, sizeof(close) - 1);
    amqp_probe_until(&probe, probe.downs == 1 && probe.ups == 2);
    amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 1);
}
END_TEST

START_TEST(a_channel_that_the_broker_closes_is_made_again)
{
    const char *queue = amqp_probe_name();

    open_through_proxy(queue);
    amqp_link_ack(probe.link, 12345, false); /* an unknown tag is an error of the channel */
    amqp_probe_until(&probe, probe.downs == 1 && probe.ups == 2);
    amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 1);
}
END_TEST

START_TEST(a_deleted_queue_is_declared_again)
{
    const char *queue = amqp_probe_name();
    _cleanup_(text_deinitp) struct text path = {0};

    text_addf(&path, "/queues/{vhost}/%s", queue);
    open_through_proxy(queue);
    ck_assert_int_eq(management_call("DELETE", text_str(&path), NULL), 204);
    amqp_probe_until(&probe, probe.downs == 1 && probe.ups == 2);
    amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 1);
    ck_assert_uint_eq(probe.returned, 0);
}
END_TEST

/* Frames of content that are out of place, or lie. */
START_TEST(nonsense_from_the_broker_makes_the_link_come_back)
{
    static const struct {
        const char *bytes;
        size_t size;
    } nonsense[] = {
#define NONSENSE(bytes) {bytes, sizeof(bytes) - 1}
        NONSENSE("GET / HTTP/1.1\r\n\r\n"),
        /* a body frame, a header frame, without a method before */
        NONSENSE("\x03\0\x01\0\0\0\x02{}\xCE"),
        NONSENSE("\x02\0\x01\0\0\0\x0E\0\x3C\0\0\0\0\0\0\0\0\0\x02\0\0\xCE"),
        /* a frame of 4 GB */
        NONSENSE("\x03\0\x01\xFF\xFF\xFF\xFF"),
        /* two deliveries within each other: tag "t", number 1, not again, exchange "", key "k" */
        NONSENSE("\x01\0\x01\0\0\0\x12\0\x3C\0\x3C\x01t\0\0\0\0\0\0\0\x01\0\0\x01k\xCE"
                 "\x01\0\x01\0\0\0\x12\0\x3C\0\x3C\x01t\0\0\0\0\0\0\0\x01\0\0\x01k\xCE"),
        /* a delivery with more body than its header says */
        NONSENSE("\x01\0\x01\0\0\0\x12\0\x3C\0\x3C\x01t\0\0\0\0\0\0\0\x01\0\0\x01k\xCE"
                 "\x02\0\x01\0\0\0\x0E\0\x3C\0\0\0\0\0\0\0\0\0\x01\0\0\xCE"
                 "\x03\0\x01\0\0\0\x02{}\xCE"),
#undef NONSENSE
    };

    open_through_proxy(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
        tcp_proxy_inject(proxy, nonsense[i].bytes, nonsense[i].size);
        amqp_probe_until(&probe, probe.downs == (int)i + 1 && probe.ups == (int)i + 2);
    }
    ck_assert_uint_eq(probe.count, 0);
}
END_TEST

START_TEST(a_delivery_that_claims_exabytes_takes_no_memory)
{
    static const char claim[] =
        "\x01\0\x01\0\0\0\x12\0\x3C\0\x3C\x01t\0\0\0\0\0\0\0\x01\0\0\x01k\xCE"
        "\x02\0\x01\0\0\0\x0E\0\x3C\0\0\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\xCE"
        "\x03\0\x01\0\0\0\x02{}\xCE";

    open_through_proxy(NULL);
    tcp_proxy_inject(proxy, claim, sizeof(claim) - 1);
    inject_method(60, "\001x", 2); /* proves that all of it was read */
    amqp_probe_until(&probe, probe.blocks == 1);
    ck_assert_int_eq(probe.downs, 0);
}
END_TEST

/* ---- Transient queues, which later brokers refuse ---- */

/* Plays such a broker: who declares `queue` as transient is told `reason`, and hung up on. */
static void refuse_transient(const char *queue, const char *reason)
{
    _cleanup_(text_deinitp) struct text asked = {0}, arguments = {0};
    uint8_t frame[256];
    size_t size;

    text_add_bytes(&asked, "\0\x32\0\x0A\0\0", 6); /* queue.declare, its ticket */
    text_add_char(&asked, (char)strlen(queue));
    text_add(&asked, queue);
    text_add_char(&asked, '\0'); /* no flags: not durable */

    text_add_bytes(&arguments, "\x02\x1D", 2); /* 541 INTERNAL_ERROR */
    text_add_char(&arguments, (char)strlen(reason));
    text_add(&arguments, reason);
    text_add_bytes(&arguments, "\0\x32\0\x0A", 4); /* on queue.declare */
    size = write_method(frame, 50, arguments.at, (uint8_t)arguments.size);
    tcp_proxy_answer(proxy, asked.at, asked.size, frame, size);
}

/* Whether the broker has `queue` as one of a link's own, of this durability. */
static bool is_fleeting(const char *queue, const char *durable)
{
    _cleanup_(text_deinitp) struct text path = {0}, body = {0};

    text_addf(&path, "/queues/{vhost}/%s", queue);
    text_addf(&body,
              "{\"durable\":%s,\"arguments\":{\"x-expires\":60000,\"x-queue-type\":\"classic\"}}",
              durable);
    return management_call("PUT", path.at, body.at) == 204; /* 400: it is another one */
}

START_TEST(transient_queues_are_transient_where_the_broker_permits_them)
{
    const char *queue = amqp_probe_name();

    open_through_proxy(queue);
    ck_assert(is_fleeting(queue, "false"));
    ck_assert(!is_fleeting(queue, "true"));
}
END_TEST

START_TEST(transient_queues_are_durable_where_the_broker_refuses_them)
{
    const char *queue = amqp_probe_name();

    refuse_transient(queue, "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.\n"
                            "By default, this feature is not permitted anymore.");
    open_through_proxy(queue);
    ck_assert(is_fleeting(queue, "true"));
    ck_assert_int_eq(probe.downs, 0);
    amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 1);
    tcp_proxy_cut(proxy);
    amqp_probe_until(&probe, probe.ups == 2);
    amqp_probe_say(&probe, queue, "{}");
    amqp_probe_until(&probe, probe.count == 2);
    ck_assert_uint_eq(tcp_proxy_answered(proxy), 1); /* it is remembered */
}
END_TEST

START_TEST(another_refusal_makes_no_queue_durable)
{
    const char *queue = amqp_probe_name();

    refuse_transient(queue, "INTERNAL_ERROR");
    amqp_probe_start(
        &probe, (struct amqp_link_config){.url = tcp_proxy_url(proxy),
                                          .queues = &(struct amqp_queue){.name = queue,
                                                                         .transient_expiring = true,
                                                                         .expires_ms = 60000},
                                          .queue_count = 1});
    amqp_probe_until(&probe, tcp_proxy_answered(proxy) >= 3);
    ck_assert_int_eq(probe.ups, 0);
}
END_TEST

/* ---- No way in ---- */

START_TEST(a_refused_login_is_tried_again_with_patience)
{
    _cleanup_(text_deinitp) struct text url = {0};
    const char *host = strrchr(tcp_proxy_url(proxy), '@');
    int64_t end_ms = clock_mono_ms() + 2000;
    int turns = 0;

    text_addf(&url, "amqp://nobody:wrong%s", host);
    amqp_probe_start(&probe, (struct amqp_link_config){.url = text_str(&url)});
    while (clock_mono_ms() < end_ms) {
        ck_assert(!amqp_link_turn(probe.link, -1, 5000));
        turns++;
    }
    ck_assert_int_eq(probe.ups + probe.downs, 0);
    ck_assert_int_lt(turns, 20); /* it sleeps between the attempts */
}
END_TEST

START_TEST(nobody_at_the_address_is_no_reason_to_give_up)
{
    int64_t start_ms = clock_mono_ms();

    amqp_probe_start(&probe, (struct amqp_link_config){.url = "amqp://a:b@127.0.0.1:1/"});
    for (int i = 0; i < 5; i++)
        ck_assert(!amqp_link_turn(probe.link, -1, 100));
    ck_assert(!amqp_link_is_up(probe.link));
    ck_assert_int_lt(clock_mono_ms() - start_ms, 20000);
}
END_TEST

static const TTest *const *const tests[] = {
    &a_cut_link_comes_back_and_declares_and_consumes_anew,
    &unacknowledged_messages_come_again_after_a_cut,
    &while_down_nothing_can_be_published_or_acknowledged,
    &a_link_that_stopped_consuming_does_not_begin_again_after_a_cut,
    &a_large_message_that_was_cut_in_two_is_forgotten,
    &publishing_to_a_stalled_broker_never_blocks_and_loses_nothing,
    &acknowledgements_pass_between_the_pieces_of_a_large_message,
    &a_broker_that_falls_silent_is_left,
    &heartbeats_keep_an_idle_link_up,
    &a_blocked_link_refuses_until_it_is_unblocked,
    &a_connection_that_the_broker_closes_is_made_again,
    &a_channel_that_the_broker_closes_is_made_again,
    &a_deleted_queue_is_declared_again,
    &nonsense_from_the_broker_makes_the_link_come_back,
    &a_delivery_that_claims_exabytes_takes_no_memory,
    &transient_queues_are_transient_where_the_broker_permits_them,
    &transient_queues_are_durable_where_the_broker_refuses_them,
    &another_refusal_makes_no_queue_durable,
    &a_refused_login_is_tried_again_with_patience,
    &nobody_at_the_address_is_no_reason_to_give_up,
};

int main(void)
{
    TCase *t;

    if (!getenv("AMQP_URL") || !getenv("MANAGEMENT_URL")) {
        puts("skipped: AMQP_URL and MANAGEMENT_URL name no broker");
        return 77;
    }
    t = tcase_create("amqp_recovery");
    tcase_add_checked_fixture(t, start_proxy, stop_proxy);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(t, *tests[i]);
    return unit_run_case("amqp_recovery", t);
}
