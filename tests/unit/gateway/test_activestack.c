#include <string.h>

#include "gateway/dialect/activestack.h"
#include "tests/support/unit.h"

static const struct json_limits limits = {.depth = 8, .number_chars = 20};

static void read_frame(const char *text, struct frame *out)
{
    activestack_read(text, strlen(text), &limits, out);
}

/* ---- Requests ---- */

START_TEST(a_request_is_known_by_its_class_or_its_event)
{
    static const struct {
        const char *text, *operation;
    } rows[] = {
        {"{\"cn\":\"com.percero.agents.sync.vo.FindByIdRequest\"}", "findById"},
        {" {\"x\" : 1 , \"cn\" : \"com.percero.agents.sync.vo.PutRequest\" } ", "putObject"},
        {"{\"c\\u006e\":\"com.percero.agents.sync.vo.Put\\u0052equest\"}", "putObject"},
        {"{\"cn\":\"com.percero.agents.auth.vo.AuthenticationRequest\"}", "authenticate"},
        {"{\"cn\":\"com.percero.agents.sync.vo.LogoutRequest\"}", "logout"},
        {"[\"findById\",{}]", "findById"},
        {"[\"findById\",{\"cn\":\"com.percero.agents.sync.vo.FindByIdRequest\"}]", "findById"},
        {"[\"register\",{\"cn\":\"com.percero.agents.auth.vo.AuthenticationRequest\"}]",
         "register"},
        {"[\"logout\",{}]", "logout"},
        {"[\"message\",{\"cn\":\"com.percero.agents.sync.vo.PutRequest\"}]", "putObject"},
        {"[\"runServerProcess\",{}]", "runServerProcess"},
        {"[\"runServerProcess\",{\"cn\":\"com.percero.agents.sync.vo.RunServerProcessRequest\"}]",
         "runServerProcess"},
        {"[\"runServerProcess\",{\"cn\":\"com.percero.agents.sync.vo.RunProcessRequest\"}]",
         "runServerProcess"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(frame_deinitp) struct frame f;

        read_frame(rows[i].text, &f);
        ck_assert_msg(f.kind == FRAME_REQUEST, "%s: %s", rows[i].text, text_str(&f.problem));
        ck_assert_str_eq(f.operation->name, rows[i].operation);
    }
}
END_TEST

START_TEST(an_alias_is_served_under_the_name_for_which_it_stands)
{
    _cleanup_(frame_deinitp) struct frame f;

    read_frame("[\"runServerProcess\",{}]", &f);
    ck_assert_str_eq(activestack_served_name(f.operation), "runProcess");
    read_frame("[\"findById\",{}]", &f);
    ck_assert_str_eq(activestack_served_name(f.operation), "findById");
}
END_TEST

START_TEST(what_only_the_gateway_publishes_is_asked_for_in_its_own_way)
{
    static const struct {
        const char *text;
        enum frame_kind kind;
    } rows[] = {
        {"{\"cn\":\"com.percero.agents.sync.vo.ConnectRequest\"}", FRAME_CONNECT},
        {"[\"connect\",{}]", FRAME_CONNECT},
        {"{\"cn\":\"com.percero.agents.sync.vo.ReconnectRequest\"}", FRAME_RETURN},
        {"[\"reconnect\",{}]", FRAME_RETURN},
        {"[\"disconnect\",{}]", FRAME_ERROR},
        {"{\"cn\":\"com.percero.agents.sync.vo.DisconnectRequest\"}", FRAME_ERROR},
        {"[\"disconnectAuth\",{}]", FRAME_ERROR},
        {"[\"hibernate\",{}]", FRAME_ERROR},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(frame_deinitp) struct frame f;

        read_frame(rows[i].text, &f);
        ck_assert_msg(f.kind == rows[i].kind, "%s", rows[i].text);
        if (f.kind == FRAME_ERROR)
            ck_assert_int_eq(f.error, CODE_NOT_IMPLEMENTED);
    }
}
END_TEST

START_TEST(an_ack_is_wanted_when_sendAck_is_truthy_and_there_is_an_id_to_name)
{
    static const struct {
        const char *members;
        bool wanted;
    } rows[] = {
        {"\"messageId\":\"m\",\"sendAck\":true", true},
        {"\"messageId\":\"m\",\"sendAck\":1", true},
        {"\"messageId\":\"m\",\"sendAck\":\"yes\"", true},
        {"\"messageId\":\"m\",\"sendAck\":{}", true},
        {"\"messageId\":\"m\",\"sendAck\":false", false},
        {"\"messageId\":\"m\",\"sendAck\":null", false},
        {"\"messageId\":\"m\",\"sendAck\":0", false},
        {"\"messageId\":\"m\",\"sendAck\":\"\"", false},
        {"\"messageId\":\"m\"", false},
        {"\"sendAck\":true", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text t = {0};
        _cleanup_(frame_deinitp) struct frame f;

        text_addf(&t, "[\"findById\",{%s}]", rows[i].members);
        read_frame(text_str(&t), &f);
        ck_assert_int_eq(f.kind, FRAME_REQUEST);
        ck_assert_msg(f.wants_ack == rows[i].wanted, "%s", rows[i].members);
    }
}
END_TEST

/* ---- Refusals ---- */

START_TEST(a_bad_request_is_refused_by_name_and_leaves_the_socket_open)
{
    static const struct {
        const char *text;
        int code;
        const char *problem;
    } rows[] = {
        {"[]", CODE_MALFORMED, "expected [event, object]"},
        {"[1]", CODE_MALFORMED, "expected [event, object]"},
        {"[\"findById\"]", CODE_MALFORMED, "expected [event, object]"},
        {"[\"findById\",1]", CODE_MALFORMED, "expected [event, object]"},
        {"[\"findById\",[]]", CODE_MALFORMED, "expected [event, object]"},
        {"[1,{}]", CODE_MALFORMED, "expected [event, object]"},
        {"[\"a\",{},3]", CODE_MALFORMED, "expected [event, object]"},
        {"[\"\",{}]", CODE_NOT_IMPLEMENTED, "unknown event"},
        {"[\"nothing\",{}]", CODE_NOT_IMPLEMENTED, "unknown event"},
        {"{\"cn\":\"\"}", CODE_NOT_IMPLEMENTED, "cn: unknown"},
        {"{\"cn\":\"com.percero.agents.sync.vo.NoRequest\"}", CODE_NOT_IMPLEMENTED, "cn: unknown"},
        {"{\"cn\":null}", CODE_MALFORMED, "cn: expected a string, found null"},
        {"{\"cn\":[]}", CODE_MALFORMED, "cn: expected a string, found array"},
        {"[\"findById\",{\"cn\":1}]", CODE_MALFORMED, "cn: expected com.percero"},
        {"[\"findById\",{\"cn\":\"com.percero.agents.sync.vo.PutRequest\"}]", CODE_MALFORMED,
         "cn: expected com.percero.agents.sync.vo.FindByIdRequest"},
        {"[\"findById\",{\"messageId\":1}]", CODE_MALFORMED, "messageId: expected a string"},
        {"[\"findById\",{\"messageId\":{}}]", CODE_MALFORMED, "messageId: expected a string"},
        {"[\"findById\",{\"messageId\":\"a\\u0000b\"}]", CODE_MALFORMED, "messageId: expected"},
        {"[\"authenticate\",{\"deviceId\":1}]", CODE_MALFORMED, "deviceId: expected a string"},
        {"{\"cn\":\"a\",\"cn\":\"a\"}", CODE_MALFORMED, "cn: stands there more than once"},
        {"{\"cn\":\"a\",\"\\u0063n\":\"a\"}", CODE_MALFORMED, "cn: stands there more than once"},
        {"[\"putObject\",{\"theObject\":{},\"theObject\":{}}]", CODE_MALFORMED,
         "theObject: stands"},
        {"[\"findById\",{\"token\":1,\"token\":2}]", CODE_MALFORMED, "token: stands"},
        {"[\"findById\",{\"x\":123456789012345678901}]", CODE_MALFORMED, "number is too long"},
        {"{\"connect\":123456789012345678901}", CODE_MALFORMED, "number is too long"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(frame_deinitp) struct frame f;

        read_frame(rows[i].text, &f);
        ck_assert_msg(f.kind == FRAME_ERROR && (int)f.error == rows[i].code, "%s: kind %d, code %d",
                      rows[i].text, (int)f.kind, (int)f.error);
        assert_contains(text_str(&f.problem), rows[i].problem);
        ck_assert(!f.has_message_id);
    }
}
END_TEST

START_TEST(a_refusal_carries_the_message_id_where_it_can_be_read)
{
    static const char *const texts[] = {
        "{\"cn\":\"a\",\"messageId\":\"m\\u0031\"}",
        "[\"nothing\",{\"messageId\":\"m1\"}]",
        "[\"findById\",{\"cn\":1,\"messageId\":\"m1\"}]",
        "[\"findById\",{\"token\":1,\"messageId\":\"m1\",\"token\":1}]",
        "[\"findById\",{\"x\":123456789012345678901,\"messageId\":\"m1\"}]",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_(frame_deinitp) struct frame f;

        read_frame(texts[i], &f);
        ck_assert_int_eq(f.kind, FRAME_ERROR);
        ck_assert_msg(f.has_message_id, "%s", texts[i]);
        ck_assert_str_eq(f.message_id, "m1");
    }
}
END_TEST

START_TEST(a_message_id_may_have_255_bytes)
{
    char id[257];

    for (size_t size = 255; size <= 256; size++) {
        _cleanup_(text_deinitp) struct text t = {0};
        _cleanup_(frame_deinitp) struct frame f;

        memset(id, 'x', size);
        id[size] = '\0';
        text_addf(&t, "[\"findById\",{\"messageId\":\"%s\"}]", id);
        read_frame(text_str(&t), &f);
        ck_assert_int_eq(f.kind, size == 255 ? FRAME_REQUEST : FRAME_ERROR);
        ck_assert(f.has_message_id == (size == 255));
    }
}
END_TEST

START_TEST(what_is_no_frame_at_all_closes_the_socket)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"", 1007},
        {" ", 1007},
        {"nope", 1007},
        {"{\"cn\":", 1007},
        {"{} {}", 1007},
        {"{'a':1}", 1007},
        {"[NaN]", 1007},
        {"{\"a\":\"\xff\"}", 1007},
        {"{\"a\":\"\\ud800\"}", 1007},
        {"1", 1008},
        {"null", 1008},
        {"\"findById\"", 1008},
        {"[[[[[[[[[]]]]]]]]]", 1008},
        {"[123456789012345678901,[[[[[[[[[]]]]]]]]]]", 1008},
        {"[123456789012345678901", 1007},
        {"123456789012345678901", 1008},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(frame_deinitp) struct frame f;

        read_frame(rows[i].text, &f);
        ck_assert_msg(f.kind == FRAME_CLOSE && f.close_code == rows[i].code, "%s: kind %d, code %d",
                      rows[i].text, (int)f.kind, f.close_code);
        ck_assert_uint_gt(f.problem.size, 0);
    }
}
END_TEST

/* ---- Special messages ---- */

START_TEST(special_messages_come_in_their_order)
{
    static const enum special expected[] = {SPECIAL_ACK, SPECIAL_UNKNOWN, SPECIAL_CONNECT,
                                            SPECIAL_HIBERNATE, SPECIAL_RECONNECT};
    _cleanup_(frame_deinitp) struct frame f;
    struct json_walk w;
    enum special special;
    size_t count = 0;

    read_frame("{\"ack\":{},\"Connect\":1,\"c\\u006fnnect\":2,\"hibernate\":null,\"reconnect\":{}}",
               &f);
    ck_assert_int_eq(f.kind, FRAME_SPECIAL);
    w = json_walk(f.object);
    for (; activestack_next_special(&w, &special); count++)
        ck_assert_int_eq(special, expected[count]);
    ck_assert_uint_eq(count, ARRAY_SIZE(expected));
}
END_TEST

START_TEST(an_object_without_class_holds_special_messages)
{
    static const char *const texts[] = {"{}", "{\"connect\":true}", "{\"messageId\":5}",
                                        "[\"message\",{\"connect\":{}}]"};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_(frame_deinitp) struct frame f;

        read_frame(texts[i], &f);
        ck_assert_msg(f.kind == FRAME_SPECIAL, "%s", texts[i]);
    }
}
END_TEST

/* ---- Bodies ---- */

static struct session somebody(void)
{
    struct session s = {.client_id = "0123456789abcdef0123456789abcdef"};

    session_login(&s, "u\"1", "secret", "d1");
    return s;
}

#define CLIENT "\"clientId\":\"0123456789abcdef0123456789abcdef\""
#define WHO    CLIENT ",\"userId\":\"u\\\"1\",\"deviceId\":\"d1\""

START_TEST(the_body_says_who_sends_it_whatever_the_client_wrote)
{
    static const struct {
        const char *object, *body;
    } rows[] = {
        {"{}", "{" WHO "}"},
        {"{\"a\":1}", "{\"a\":1," WHO "}"},
        {"{\"clientId\":\"evil\"}", "{" WHO "}"},
        {"{\"clientId\":\"evil\",\"userId\":{\"a\":[1,2]},\"token\":null,\"deviceId\":\"x\"}",
         "{" WHO "}"},
        {"{\"a\":[1, 2] , \"clientId\":\"evil\" , \"b\" : {} }",
         "{\"a\":[1, 2],\"b\" : {}," WHO "}"},
        {"{\"userId\":1,\"a\":\",\",\"token\":2}", "{\"a\":\",\"," WHO "}"},
        {"{\"a\":1,\"token\":2,\"userId\":3,\"b\":2}", "{\"a\":1,\"b\":2," WHO "}"},
        {"{\"user\\u0049d\":\"evil\",\"a\":1}", "{\"a\":1," WHO "}"},
        {"{\"theObject\":{\"clientId\":\"stays\",\"token\":\"stays\"}}",
         "{\"theObject\":{\"clientId\":\"stays\",\"token\":\"stays\"}," WHO "}"},
        {"{\"n\":9007199254740993,\"d\":1.10,\"e\":[],\"z\":null}",
         "{\"n\":9007199254740993,\"d\":1.10,\"e\":[],\"z\":null," WHO "}"},
    };
    struct session s = somebody();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text t = {0}, body = {0};
        _cleanup_(frame_deinitp) struct frame f;

        text_addf(&t, "[\"findById\",%s]", rows[i].object);
        read_frame(text_str(&t), &f);
        ck_assert_int_eq(f.kind, FRAME_REQUEST);
        activestack_add_body(&f, &s, &body);
        assert_text(&body, rows[i].body);
    }
    session_deinit(&s);
}
END_TEST

START_TEST(what_needs_no_login_keeps_what_it_is_about)
{
    struct session s = somebody();
    _cleanup_(text_deinitp) struct text body = {0};
    _cleanup_(frame_deinitp) struct frame f;

    read_frame("[\"reauthenticate\",{\"token\":\"t\",\"clientId\":\"evil\",\"userId\":\"u2\","
               "\"deviceId\":\"d2\"}]",
               &f);
    activestack_add_body(&f, &s, &body);
    assert_text(&body, "{\"token\":\"t\",\"userId\":\"u2\",\"deviceId\":\"d2\"," CLIENT "}");
    session_deinit(&s);
}
END_TEST

START_TEST(what_the_gateway_says_is_escaped)
{
    _cleanup_(text_deinitp) struct text t = {0};

    activestack_add_ack(&t, "a\"b\n");
    assert_text(&t, "{\"ack\":\"a\\\"b\\n\"}");
    text_clear(&t);
    activestack_add_session(&t, "e30=;sig");
    assert_text(&t, "{\"gatewayConnectAck\":\"e30=;sig\"}");
}
END_TEST

UNIT_SUITE("activestack", a_request_is_known_by_its_class_or_its_event,
           an_alias_is_served_under_the_name_for_which_it_stands,
           what_only_the_gateway_publishes_is_asked_for_in_its_own_way,
           an_ack_is_wanted_when_sendAck_is_truthy_and_there_is_an_id_to_name,
           a_bad_request_is_refused_by_name_and_leaves_the_socket_open,
           a_refusal_carries_the_message_id_where_it_can_be_read, a_message_id_may_have_255_bytes,
           what_is_no_frame_at_all_closes_the_socket, special_messages_come_in_their_order,
           an_object_without_class_holds_special_messages,
           the_body_says_who_sends_it_whatever_the_client_wrote,
           what_needs_no_login_keeps_what_it_is_about, what_the_gateway_says_is_escaped)
