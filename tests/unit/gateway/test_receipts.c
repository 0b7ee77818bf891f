#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/process/settings.h"
#include "gateway/conversation/dialect.h"
#include "gateway/conversation/receipts.h"
#include "gateway/dialect/activestack.h"
#include "gateway/gateway.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static const struct client_limits limits = {.send_bytes = 1000000, .pause_bytes = 1000000};
static const struct open_limits open_limits = {
    .count = 4, .bytes = 1 << 30, .timeout_ms = {1000, 1000}};
static const struct json_limits json_limits = {16, 32};
static const struct settings settings = {.gateway_request_timeout_ms = 1000};

static void nothing(void *arg)
{
    (void)arg;
}

static void pause_reading(void *socket, bool pause)
{
    (void)socket;
    (void)pause;
}

static void start_closing(void *socket, int patience_s)
{
    (void)socket;
    (void)patience_s;
}

static const struct client_wire wire = {nothing, pause_reading, start_closing};

static struct gateway g;
static struct client *c;

static void set_up(void)
{
    assert_ok(secret_init());
    g.settings = &settings;
    open_account_init(&g.open);
    receipts_init(&g.receipts);
    g.metrics = metrics_create(&gateway_metrics, NULL);
    assert_ok(clients_create(&g.clients));
    assert_ok(open_requests_create(&open_limits, &g.requests));
    assert_ok(bridge_create(2, nothing, NULL, &g.bridge));
    assert_ok(client_create(&dialect_activestack, &wire, &limits, NULL, &c));
    clients_add(g.clients, c);
    client_set_state(c, CLIENT_CONNECTED);
    client_set_state(c, CLIENT_BINDING);
    client_set_state(c, CLIENT_READY);
}

static void tear_down(void)
{
    clients_remove(g.clients, c);
    client_destroy(c);
    open_requests_destroy(g.requests);
    bridge_destroy(g.bridge);
    clients_destroy(g.clients);
    metrics_destroy(g.metrics);
    receipts_deinit(&g.receipts);
    text_deinit(&g.scratch);
}

static void note_send(const char *ref, int64_t number)
{
    struct owed_thing thing = owed_object(SENDS_UPDATE, ref, strlen(ref));

    thing.number = number;
    owed_add(&c->owed, &thing);
}

/* A receipt of the client, as it comes in. */
static void take(const char *text)
{
    struct frame f;

    activestack_read(text, strlen(text), &json_limits, &f);
    ck_assert_int_eq(f.kind, FRAME_REQUEST);
    receipts_take(&g, c, &f);
    frame_deinit(&f);
}

static void take_pair(const char *class_name, const char *id)
{
    TEXT text = {0};

    text_addf(&text,
              "[\"updatesReceived\",{\"messageId\":\"m\",\"classIdPairs\":"
              "[{\"className\":\"%s\",\"ID\":\"%s\"}]}]",
              class_name, id);
    take(text.at);
}

/* The next message for the broker: its number; its body is in *body. */
static uint64_t next_message(struct text *body)
{
    struct order *o = msgq_pop(bridge_orders(g.bridge));
    uint64_t number;

    ck_assert_ptr_nonnull(o);
    ck_assert_str_eq(o->message->queue, "updatesReceived");
    ck_assert(!o->message->persistent && o->expires);
    text_clear(body);
    text_add_bytes(body, o->message->body, o->message->size);
    number = o->number;
    order_destroy(o);
    return number;
}

static void expect_no_message(void)
{
    ck_assert(!receipts_wait(&g.receipts));
    ck_assert_uint_eq(msgq_depth(bridge_orders(g.bridge)), 0);
}

/* The next frame to the client holds this. */
static void expect_frame(const char *part)
{
    struct client_frame *f = client_next_frame(c);
    TEXT text = {0};

    ck_assert_ptr_nonnull(f);
    text_add_bytes(&text, f->bytes, f->size);
    assert_contains(text.at, part);
    client_frame_written(c);
}

static void answer(uint64_t number, const char *body)
{
    struct open_request *batch = open_requests_find(g.requests, number);

    ck_assert_ptr_nonnull(batch);
    receipts_answered(&g, batch, &(struct msg){.body = body, .size = strlen(body)});
    open_requests_end(g.requests, &g.open, batch);
}

START_TEST(receipts_are_gathered_until_they_are_flushed)
{
    TEXT body = {0}, expected = {0};
    uint64_t number;

    note_send("C:a", 3);
    take_pair("C", "a");
    take_pair("C", "b");
    ck_assert(receipts_wait(&g.receipts));
    ck_assert_uint_eq(msgq_depth(bridge_orders(g.bridge)), 0);
    receipts_flush(&g);
    number = next_message(&body);
    text_addf(&expected,
              "{\"v\":1,\"receipts\":[{\"client\":\"%s\",\"pairs\":[[\"C:a\",3]]},"
              "{\"client\":\"%s\",\"pairs\":[]}]}",
              c->session.client_id, c->session.client_id);
    assert_text(&body, expected.at);
    expect_no_message();
    answer(number, "{\"v\":1,\"unknown\":[]}");
    expect_frame("\"correspondingMessageId\":\"m\"");
    expect_frame("\"result\":true");
    ck_assert_uint_eq(open_requests_count(g.requests), 0);
}
END_TEST

START_TEST(what_is_unknown_is_refused)
{
    TEXT body = {0}, reply = {0};

    take_pair("C", "a");
    receipts_flush(&g);
    text_addf(&reply, "{\"unknown\":[7,\"nobody\",\"%s\"]}", c->session.client_id);
    answer(next_message(&body), reply.at);
    expect_frame("\"-100\"");
    ck_assert_uint_eq(open_requests_count(g.requests), 0);
}
END_TEST

START_TEST(an_answer_that_is_none_is_a_failure)
{
    static const char *const answers[] = {"", "{", "{}", "{\"unknown\":{}}", "[]"};
    TEXT body = {0};

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        take_pair("C", "a");
        receipts_flush(&g);
        answer(next_message(&body), answers[i]);
        expect_frame("\"-119\"");
    }
    ck_assert_uint_eq(open_requests_count(g.requests), 0);
}
END_TEST

START_TEST(a_full_bridge_is_told_and_nothing_stays_open)
{
    for (int i = 0; i < 3; i++) { /* there is room for two */
        take_pair("C", "a");
        receipts_flush(&g);
    }
    expect_frame("\"-119\"");
    ck_assert_ptr_null(client_next_frame(c));
    ck_assert_uint_eq(open_requests_count(g.requests), 4); /* two, each with its message */
}
END_TEST

START_TEST(what_grows_too_large_is_split_and_answered_by_the_last)
{
    TEXT id = {0}, frame = {0}, body = {0};
    uint64_t first, last;

    for (int i = 0; i < 100000; i++)
        text_add_char(&id, 'x');
    text_add(&frame, "[\"updatesReceived\",{\"messageId\":\"m\",\"classIdPairs\":[");
    for (int i = 0; i < 4; i++) {
        TEXT ref = {0};

        text_addf(&ref, "C:%d%s", i, id.at);
        note_send(ref.at, i);
        text_addf(&frame, "%s{\"className\":\"C\",\"ID\":\"%d%s\"}", i > 0 ? "," : "", i, id.at);
    }
    text_add(&frame, "]}]");
    take(frame.at);
    first = next_message(&body);
    ck_assert_uint_lt(body.size, 400000);
    receipts_flush(&g);
    last = next_message(&body);
    ck_assert_uint_gt(body.size, 100000);
    expect_no_message();
    answer(first, "{\"unknown\":[]}");
    ck_assert_ptr_null(client_next_frame(c));
    answer(last, "{\"unknown\":[]}");
    expect_frame("\"result\":true");
    ck_assert_ptr_null(c->owed.sends);
}
END_TEST

START_TEST(whose_limits_are_reached_is_refused)
{
    for (size_t i = 0; i < open_limits.count; i++)
        take_pair("C", "a");
    ck_assert_ptr_null(client_next_frame(c));
    take_pair("C", "a");
    expect_frame("\"-118\"");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("receipts");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, receipts_are_gathered_until_they_are_flushed);
    tcase_add_test(tests, what_is_unknown_is_refused);
    tcase_add_test(tests, an_answer_that_is_none_is_a_failure);
    tcase_add_test(tests, a_full_bridge_is_told_and_nothing_stays_open);
    tcase_add_test(tests, what_grows_too_large_is_split_and_answered_by_the_last);
    tcase_add_test(tests, whose_limits_are_reached_is_refused);
    return unit_run_case("receipts", tests);
}
