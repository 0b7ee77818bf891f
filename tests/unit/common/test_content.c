#include <string.h>

#include "common/protocol/content.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static const struct operation *by_name(const char *name)
{
    return operation_by_name(name, strlen(name));
}

START_TEST(a_result_has_data_only_where_there_is_some)
{
    TEXT with = {0}, without = {0};

    content_add_result(&with, "xa\"1", "get_content", 200, "{\"ver\":[\"s\",1]}");
    assert_text(&with, "{\"type\":\"result\",\"id\":\"xa\\\"1\",\"cls\":\"get_content\","
                       "\"status\":200,\"data\":{\"ver\":[\"s\",1]}}");
    content_add_result(&without, "asdfq3fqaw3aw", "logout", 200, NULL);
    assert_text(&without,
                "{\"type\":\"result\",\"id\":\"asdfq3fqaw3aw\",\"cls\":\"logout\",\"status\":200}");
}
END_TEST

START_TEST(an_error_has_the_status_of_its_code)
{
    TEXT t = {0};

    content_add_error(&t, "asdf3wf3r", "patch_content", 4090630, "Version Conflict");
    assert_text(&t, "{\"type\":\"error\",\"id\":\"asdf3wf3r\",\"cls\":\"patch_content\","
                    "\"status\":409,\"data\":{\"code\":4090630,\"msg\":\"Version Conflict\"}}");
}
END_TEST

START_TEST(what_is_tied_to_no_request_has_neither_id_nor_class)
{
    TEXT t = {0};

    content_add_error(&t, NULL, NULL, 4000000, "Format Error\n");
    assert_text(&t, "{\"type\":\"error\",\"status\":400,"
                    "\"data\":{\"code\":4000000,\"msg\":\"Format Error\\n\"}}");
}
END_TEST

/* Content protocol, "Envelope", the table of codes. */
START_TEST(a_code_is_status_class_and_detail)
{
    ck_assert_int_eq(content_code(by_name("authenticate"), 401, CONTENT_DENIED), 4010130);
    ck_assert_int_eq(content_code(by_name("reconnect"), 401, CONTENT_UNKNOWN), 4010220);
    ck_assert_int_eq(content_code(by_name("get_children"), 404, CONTENT_UNKNOWN_PAGE), 4040522);
    ck_assert_int_eq(content_code(by_name("revoke"), 400, CONTENT_PLAIN), 4000900);
    ck_assert_int_eq(content_code(by_name("findById"), 400, CONTENT_PLAIN), 4000000);
    ck_assert_int_eq(content_code(NULL, 400, CONTENT_PLAIN), 4000000);
}
END_TEST

START_TEST(each_activestack_code_has_one_of_the_same_meaning)
{
    static const struct {
        enum response_code from;
        int to;
    } codes[] = {
        {CODE_INVALID_CLIENT, 4010410},  {CODE_MISSING_CLASS, 4040420},
        {CODE_NOT_IMPLEMENTED, 4000400}, {CODE_MALFORMED, 4000400},
        {CODE_TIMEOUT, 5030400},         {CODE_FORBIDDEN, 4030430},
        {CODE_TOO_MANY, 4290400},        {CODE_BACK_END_AWAY, 5030400},
        {CODE_TOO_EXPENSIVE, 4130400},   {CODE_CREATE_FAILED, 4220440},
        {CODE_UPDATE_FAILED, 4220440},   {CODE_REMOVE_FAILED, 4220440},
        {CODE_MISSING_FIELD, 4220440},   {CODE_INTERNAL, 5000499},
    };
    _cleanup_(text_deinitp) struct text msg = {0};

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        ck_assert_int_eq(content_code_of(by_name("get_content"), codes[i].from), codes[i].to);
        content_add_msg(&msg, codes[i].from, "x");
        ck_assert_str_ne(msg.at, ": x");
        if (codes[i].from != CODE_INTERNAL)
            ck_assert_str_ne(msg.at, "Internal Error: x");
        text_clear(&msg);
    }
    content_add_msg(&msg, CODE_INTERNAL, "x");
    ck_assert_str_eq(msg.at, "Internal Error: x");
    ck_assert_int_eq(content_code_of(NULL, CODE_INTERNAL), 5000000);
    ck_assert_int_eq(content_code_of(by_name("get_content"), (enum response_code) - 9999), 5000499);
}
END_TEST

START_TEST(each_class_leads_to_its_operation_and_back)
{
    static const char *const classes[] = {"login",       "reconnect",    "logout",
                                          "get_content", "get_children", "patch_content",
                                          "add_child",   "subscribe",    "revoke"};

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        const struct operation *o = content_operation(classes[i], strlen(classes[i]));

        ck_assert_ptr_nonnull(o);
        ck_assert_int_eq(o->content_class, (int)i + 1);
        ck_assert_str_eq(content_cls(o), classes[i]);
    }
    ck_assert_str_eq(content_cls(by_name("connect")), "login");
    ck_assert_ptr_null(content_cls(by_name("putObject")));
    ck_assert_ptr_null(content_cls(NULL));
}
END_TEST

START_TEST(other_classes_lead_nowhere)
{
    static const char *const others[] = {"",          "changed",    "Login",        "authenticate",
                                         "putObject", "get_conten", "get_contents", "connect"};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        ck_assert_ptr_null(content_operation(others[i], strlen(others[i])));
    ck_assert_ptr_null(content_operation("login\0", 6));
}
END_TEST

UNIT_SUITE("content", a_result_has_data_only_where_there_is_some,
           an_error_has_the_status_of_its_code, what_is_tied_to_no_request_has_neither_id_nor_class,
           a_code_is_status_class_and_detail, each_activestack_code_has_one_of_the_same_meaning,
           each_class_leads_to_its_operation_and_back, other_classes_lead_nowhere)
