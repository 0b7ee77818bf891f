#include <string.h>

#include "common/amqp/msg.h"
#include "common/protocol/format.h"
#include "tests/support/unit.h"

START_TEST(a_message_is_a_deep_copy_of_its_fields)
{
    _cleanup_(msg_destroyp) struct msg *m = NULL;
    char client[] = "c1", body[] = "{\"a\":1}trailing";
    const struct msg fields = {
        .queue = "findById",
        .type = "findById",
        .message_id = "m1",
        .correlation_id = "7",
        .reply_to = "gateway.1",
        .app_id = "g",
        .encoding = "e",
        .timestamp_ms = 5,
        .expiration_ms = 6,
        .persistent = true,
        .mandatory = true,
        .client = client,
        .user = "u",
        .device = "d",
        .dialect = "activestack",
        .address = "192.0.2.1",
        .reason = "r",
        .accepted_ms = 10,
        .keep = 1,
        .code = -12,
        .format = FORMAT_WRITTEN,
        .body = body,
        .size = 7,
    };

    assert_ok(msg_create(&fields, &m));
    memset(client, 'x', sizeof(client) - 1);
    memset(body, 'x', sizeof(body) - 1);

    ck_assert_str_eq(m->queue, "findById");
    ck_assert_str_eq(m->type, "findById");
    ck_assert_str_eq(m->message_id, "m1");
    ck_assert_str_eq(m->correlation_id, "7");
    ck_assert_str_eq(m->reply_to, "gateway.1");
    ck_assert_str_eq(m->app_id, "g");
    ck_assert_str_eq(m->encoding, "e");
    ck_assert_str_eq(m->client, "c1");
    ck_assert_str_eq(m->user, "u");
    ck_assert_str_eq(m->device, "d");
    ck_assert_str_eq(m->dialect, "activestack");
    ck_assert_str_eq(m->address, "192.0.2.1");
    ck_assert_str_eq(m->reason, "r");
    ck_assert(m->persistent && m->mandatory);
    ck_assert_int_eq(m->timestamp_ms, 5);
    ck_assert_uint_eq(m->expiration_ms, 6);
    ck_assert_int_eq(m->accepted_ms, 10);
    ck_assert_uint_eq(m->keep, 1);
    ck_assert_int_eq(m->code, -12);
    ck_assert_uint_eq(m->format, FORMAT_WRITTEN);
    ck_assert_uint_eq(m->size, 7);
    ck_assert_str_eq(m->body, "{\"a\":1}");
}
END_TEST

START_TEST(absent_texts_stay_absent_and_the_body_is_a_string)
{
    _cleanup_(msg_destroyp) struct msg *m = NULL;

    assert_ok(msg_create(&(struct msg){0}, &m));
    ck_assert_ptr_null(m->queue);
    ck_assert_ptr_null(m->type);
    ck_assert_ptr_null(m->message_id);
    ck_assert_ptr_null(m->correlation_id);
    ck_assert_ptr_null(m->reply_to);
    ck_assert_ptr_null(m->app_id);
    ck_assert_ptr_null(m->client);
    ck_assert_ptr_null(m->user);
    ck_assert_ptr_null(m->device);
    ck_assert_ptr_null(m->dialect);
    ck_assert_ptr_null(m->address);
    ck_assert_ptr_null(m->reason);
    ck_assert_uint_eq(m->size, 0);
    ck_assert_str_eq(m->body, "");
}
END_TEST

START_TEST(a_body_may_hold_any_bytes)
{
    _cleanup_(msg_destroyp) struct msg *m = NULL;

    assert_ok(msg_create(&(struct msg){.queue = "", .body = "a\0b", .size = 3}, &m));
    ck_assert_uint_eq(m->size, 3);
    ck_assert_mem_eq(m->body, "a\0b", 4);
    ck_assert_str_eq(m->queue, ""); /* empty is not absent */
}
END_TEST

START_TEST(nothing_can_be_destroyed)
{
    msg_destroy(NULL);
}
END_TEST

UNIT_SUITE("msg", a_message_is_a_deep_copy_of_its_fields,
           absent_texts_stay_absent_and_the_body_is_a_string, a_body_may_hold_any_bytes,
           nothing_can_be_destroyed)
