#include <string.h>

#include "common/json/json_scan.h"
#include "common/protocol/operations.h"
#include "common/protocol/response.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

START_TEST(every_member_is_there_in_the_order_of_the_seed)
{
    TEXT t = {0};

    response_begin(&t, &(struct response){.class_name = SYNC_CLASS("PutResponse"),
                                          .client = "c\"1",
                                          .message_id = "m1",
                                          .data = "[1]",
                                          .timestamp_ms = 1234});
    text_add(&t, ",\"result\":true");
    response_end(&t);
    assert_text(&t, "{\"cn\":\"com.percero.agents.sync.vo.PutResponse\",\"clientId\":\"c\\\"1\","
                    "\"timestamp\":1234,\"ids\":null,\"data\":[1],\"type\":null,"
                    "\"correspondingMessageId\":\"m1\",\"gatewayMessageId\":null,\"result\":true}");
}
END_TEST

START_TEST(what_is_unset_is_null_and_the_time_is_now)
{
    TEXT t = {0};
    struct json_span value;
    int64_t timestamp = 0;

    response_begin(&t, &(struct response){.class_name = "x"});
    response_end(&t);
    value = json_span_of(t.at);
    ck_assert_int_eq(json_kind(json_member(value, "clientId", NULL)), JSON_NULL);
    ck_assert_int_eq(json_kind(json_member(value, "data", NULL)), JSON_NULL);
    ck_assert_int_eq(json_kind(json_member(value, "correspondingMessageId", NULL)), JSON_NULL);
    assert_ok(json_int64(json_member(value, "timestamp", NULL), &timestamp));
    ck_assert_int_gt(timestamp, 1700000000000);
}
END_TEST

START_TEST(an_error_has_its_name_and_its_code_as_a_string)
{
    TEXT t = {0};
    const char *tail;

    response_error(&t, "c", NULL, CODE_MALFORMED, "theObject: expected\nan object");
    assert_contains(t.at, "\"cn\":\"com.percero.agents.sync.vo.SyncErrorResponse\"");
    tail = strstr(t.at, ",\"gatewayMessageId\"");
    ck_assert_str_eq(tail, ",\"gatewayMessageId\":null,\"errorName\":\"malformedRequest\","
                           "\"errorDesc\":\"theObject: expected\\nan object\","
                           "\"errorCode\":\"-115\"}");
}
END_TEST

START_TEST(a_refused_write_names_its_reason_in_data)
{
    TEXT t = {0};

    response_data_error(&t, CODE_CREATE_FAILED, NULL);
    assert_text(&t, "{\"cn\":\"com.percero.agents.sync.vo.SyncDataError\",\"code\":\"-200\","
                    "\"name\":\"createObjectError\",\"message\":null}");
}
END_TEST

START_TEST(every_code_has_a_name_of_its_own)
{
    static const enum response_code codes[] = {
        CODE_INVALID_CLIENT, CODE_MISSING_CLASS, CODE_UNSUPPORTED,   CODE_NOT_IMPLEMENTED,
        CODE_MALFORMED,      CODE_TIMEOUT,       CODE_FORBIDDEN,     CODE_TOO_MANY,
        CODE_BACK_END_AWAY,  CODE_TOO_EXPENSIVE, CODE_CREATE_FAILED, CODE_UPDATE_FAILED,
        CODE_REMOVE_FAILED,  CODE_MISSING_FIELD, CODE_INTERNAL,
    };

    for (size_t a = 0; a < ARRAY_SIZE(codes); a++) {
        ck_assert_str_ne(response_code_name(codes[a]), "unknownError");
        for (size_t b = 0; b < a; b++)
            ck_assert_str_ne(response_code_name(codes[a]), response_code_name(codes[b]));
    }
    ck_assert_str_eq(response_code_name((enum response_code) - 9999), "unknownError");
}
END_TEST

UNIT_SUITE("response", every_member_is_there_in_the_order_of_the_seed,
           what_is_unset_is_null_and_the_time_is_now,
           an_error_has_its_name_and_its_code_as_a_string, a_refused_write_names_its_reason_in_data,
           every_code_has_a_name_of_its_own)
