#include <stdlib.h>
#include <string.h>

#include "common/protocol/content.h"
#include "gateway/dialect/content.h"
#include "tests/support/unit.h"

#define FRAME _cleanup_(content_frame_deinitp) struct content_frame

static const struct json_limits limits = {.depth = 8, .number_chars = 20};

static void read_frame(const char *text, struct content_frame *out)
{
    content_read(text, strlen(text), &limits, out);
}

START_TEST(a_request_names_its_class)
{
    static const struct {
        const char *cls, *operation;
    } rows[] = {
        {"login", "authenticate"},
        {"reconnect", "reconnect"},
        {"logout", "logout"},
        {"get_content", "get_content"},
        {"get_children", "get_children"},
        {"patch_content", "patch_content"},
        {"add_child", "add_child"},
        {"add_chil\\u0064", "add_child"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text t = {0};
        FRAME f;

        text_addf(&t,
                  " {\"type\":\"request\",\"id\":\"x\\u0031\",\"cls\":\"%s\",\"data\":{\"a\":1}} ",
                  rows[i].cls);
        read_frame(text_str(&t), &f);
        ck_assert_msg(f.kind == CONTENT_REQUEST, "%s: %s", rows[i].cls, text_str(&f.problem));
        ck_assert_str_eq(f.operation->name, rows[i].operation);
        ck_assert_str_eq(f.id, "x1");
        ck_assert_uint_eq(f.whole.size, t.size - 2);
        ck_assert_int_eq(json_kind(f.data), JSON_OBJECT);
    }
}
END_TEST

START_TEST(a_notification_has_a_class_and_no_id)
{
    FRAME f, without_data;

    read_frame("{\"type\":\"notify\",\"cls\":\"subscribe\",\"data\":[1]}", &f);
    ck_assert_int_eq(f.kind, CONTENT_REQUEST);
    ck_assert_str_eq(f.operation->name, "subscribe");
    ck_assert_ptr_null(f.id);
    ck_assert_int_eq(json_kind(f.data), JSON_ARRAY);
    read_frame("{\"type\":\"notify\",\"cls\":\"revoke\"}", &without_data);
    ck_assert_str_eq(without_data.operation->name, "revoke");
    ck_assert_int_eq(json_kind(without_data.data), JSON_ABSENT);
}
END_TEST

START_TEST(a_single_newline_is_nothing)
{
    FRAME f;

    read_frame("\n", &f);
    ck_assert_int_eq(f.kind, CONTENT_NOTHING);
}
END_TEST

START_TEST(what_leaves_the_connection_in_an_unknown_state_ends_it)
{
    static const struct {
        const char *text;
        int code;
        const char *problem;
    } rows[] = {
        {"", 1007, "not JSON"},
        {"\n\n", 1007, "not JSON"},
        {"hello", 1007, "not JSON"},
        {"{\"type\":\"request\",\"id\":\"x\",\"cls\":\"logout\"", 1007, "not JSON"},
        {"{\"type\":\"request\",}", 1007, "not JSON"},
        {"\"\xff\"", 1007, "not UTF-8"},
        {"[]", 1008, "expected an object"},
        {"null", 1008, "expected an object"},
        {"\"\\n\"", 1008, "expected an object"},
        {"[[[[[[[[[]]]]]]]]]", 1008, "nested too deep"},
        {"{}", 1008, "type: "},
        {"{\"type\":null}", 1008, "type: "},
        {"{\"type\":\"Request\",\"id\":\"x\",\"cls\":\"logout\"}", 1008, "type: "},
        {"{\"type\":\"request\",\"type\":\"request\",\"id\":\"x\",\"cls\":\"logout\"}", 1008,
         "type: "},
        {"{\"type\":\"request\",\"cls\":\"logout\"}", 1008, "id: expected a string"},
        {"{\"type\":\"request\",\"id\":null,\"cls\":\"logout\"}", 1008, "id: expected a string"},
        {"{\"type\":\"request\",\"id\":7,\"cls\":\"logout\"}", 1008, "id: expected a string"},
        {"{\"type\":\"request\",\"id\":[\"x\"],\"cls\":\"logout\"}", 1008, "id: expected a string"},
        {"{\"type\":\"request\",\"id\":\"\",\"cls\":\"logout\"}", 1008, "id: expected a string"},
        {"{\"type\":\"request\",\"id\":\"a\\u0000\",\"cls\":\"logout\"}", 1008,
         "id: expected a string"},
        {"{\"type\":\"request\",\"id\":\"x\",\"id\":\"y\",\"cls\":\"logout\"}", 1008,
         "id: expected a string"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        FRAME f;

        read_frame(rows[i].text, &f);
        ck_assert_msg(f.kind == CONTENT_HOPELESS, "%s", rows[i].text);
        ck_assert_int_eq(f.close_code, rows[i].code);
        assert_contains(text_str(&f.problem), rows[i].problem);
    }
}
END_TEST

#define REQUEST(members) "{\"type\":\"request\",\"id\":\"x\"" members "}"
#define NOTIFY(members)  "{\"type\":\"notify\"" members "}"

START_TEST(a_bad_request_is_refused_with_its_id_and_class_and_the_socket_stays)
{
    static const struct {
        const char *text, *id, *cls;
        int code;
        const char *problem;
    } rows[] = {
        {REQUEST(""), "x", NULL, 4000000, "cls: expected a string"},
        {REQUEST(",\"cls\":7"), "x", NULL, 4000000, "cls: expected a string"},
        {REQUEST(",\"cls\":\"a\\u0000\""), "x", NULL, 4000000, "cls: expected a string"},
        {REQUEST(",\"cls\":\"logout\",\"cls\":\"login\""), "x", NULL, 4000000,
         "cls: expected a string"},
        {REQUEST(",\"cls\":\"\""), "x", "", 4000000, "cls: unknown"},
        {REQUEST(",\"cls\":\"dance\""), "x", "dance", 4000000, "cls: unknown"},
        {REQUEST(",\"cls\":\"changed\""), "x", "changed", 4000000, "cls: unknown"},
        {REQUEST(",\"cls\":\"authenticate\""), "x", "authenticate", 4000000, "cls: unknown"},
        {REQUEST(",\"cls\":\"subscribe\""), "x", "subscribe", 4000800, "type: "},
        {REQUEST(",\"cls\":\"get_content\",\"data\":1,\"data\":{}"), "x", "get_content", 4000400,
         "data: stands there more than once"},
        {REQUEST(",\"cls\":\"login\",\"n\":123456789012345678901"), "x", "login", 4000100,
         "a number is too long"},
        {NOTIFY(""), NULL, NULL, 4000000, "cls: expected a string"},
        {NOTIFY(",\"cls\":\"dance\""), NULL, "dance", 4000000, "cls: unknown"},
        {NOTIFY(",\"cls\":\"get_content\""), NULL, "get_content", 4000400, "type: "},
        {NOTIFY(",\"cls\":\"login\""), NULL, "login", 4000100, "type: "},
        {NOTIFY(",\"cls\":\"revoke\",\"id\":\"x\""), NULL, "revoke", 4000900,
         "id: a notification has none"},
        {NOTIFY(",\"cls\":\"subscribe\",\"id\":null"), NULL, "subscribe", 4000800,
         "id: a notification has none"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        FRAME f;

        read_frame(rows[i].text, &f);
        ck_assert_msg(f.kind == CONTENT_REFUSED, "%s", rows[i].text);
        ck_assert_pstr_eq(f.id, rows[i].id);
        ck_assert_pstr_eq(f.cls, rows[i].cls);
        ck_assert_int_eq(content_code_of(f.operation, CODE_MALFORMED), rows[i].code);
        assert_contains(text_str(&f.problem), rows[i].problem);
    }
}
END_TEST

START_TEST(an_id_of_255_bytes_is_the_longest)
{
    for (size_t size = CONTENT_ID_MAX; size <= CONTENT_ID_MAX + 1; size++) {
        _cleanup_(text_deinitp) struct text t = {0};
        FRAME f;

        text_addf(&t, "{\"type\":\"request\",\"id\":\"%0*d\",\"cls\":\"get_content\"}", (int)size,
                  7);
        read_frame(text_str(&t), &f);
        ck_assert_int_eq(f.kind, size == CONTENT_ID_MAX ? CONTENT_REQUEST : CONTENT_REFUSED);
        ck_assert_uint_eq(strlen(f.id), size);
        ck_assert_str_eq(f.operation->name, "get_content");
    }
}
END_TEST

START_TEST(an_answer_is_of_a_block_or_of_nothing)
{
    static const struct {
        const char *text;
        int64_t number;
    } rows[] = {
        {"{\"type\":\"result\",\"id\":\"12\",\"cls\":\"changed\",\"status\":200}", 12},
        {"{\"type\":\"result\",\"id\":\"999999999999999999\",\"cls\":\"changed\"}",
         999999999999999999},
        {"{\"type\":\"result\",\"id\":\"9999999999999999999\",\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"id\":\"0\",\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"id\":\"-1\",\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"id\":\" 1\",\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"id\":\"1x\",\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"id\":\"\",\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"id\":1,\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"id\":\"1\",\"cls\":\"get_content\"}", 0},
        {"{\"type\":\"result\",\"id\":\"1\"}", 0},
        {"{\"type\":\"result\"}", 0},
        {"{\"type\":\"error\",\"id\":\"1\",\"cls\":\"changed\"}", 0},
        {"{\"type\":\"result\",\"n\":123456789012345678901}", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        FRAME f;

        read_frame(rows[i].text, &f);
        ck_assert_msg(f.kind == CONTENT_ANSWER, "%s", rows[i].text);
        ck_assert_msg(f.number == rows[i].number, "%s", rows[i].text);
    }
}
END_TEST

UNIT_SUITE("gateway_content", a_request_names_its_class, a_notification_has_a_class_and_no_id,
           a_single_newline_is_nothing, what_leaves_the_connection_in_an_unknown_state_ends_it,
           a_bad_request_is_refused_with_its_id_and_class_and_the_socket_stays,
           an_id_of_255_bytes_is_the_longest, an_answer_is_of_a_block_or_of_nothing)
