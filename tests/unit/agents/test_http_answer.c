#include <string.h>

#include "agents/sync/connectors/http_answer.h"
#include "tests/support/unit.h"

/* What becomes of what a server answered. */

static const struct row {
    enum http_type as;
    int status;
    const char *type, *coding, *body;
    int code;           /* 0: it is answered */
    const char *answer; /* or words */
} rows[] = {
    {HTTP_AS_JSON, 200, "text/plain", "", " {\"a\": [1.0, \"b\"]} ", 0, "{\"a\":[1.0,\"b\"]}"},
    {HTTP_AS_JSON, 201, "", "", "null", 0, "null"},
    {HTTP_AS_JSON, 204, "", "", "", 0, "null"},
    {HTTP_AS_JSON, 200, "", "identity", "1", 0, "1"},
    {HTTP_AS_JSON, 200, "application/json", "", "{\"a\":", 4004, "no JSON: byte 5"},
    {HTTP_AS_JSON, 200, "application/json", "", "NaN", 4004, "no JSON: byte 0"},
    {HTTP_AS_JSON, 200, "application/json", "", "\"\xff\"", 4004, "no JSON: byte 1"},
    {HTTP_AS_TEXT, 200, "application/json", "", "{\"a\": 1}\n", 0, "\"{\\\"a\\\": 1}\\n\""},
    {HTTP_AS_TEXT, 200, "", "", "", 0, "\"\""},
    {HTTP_AS_TEXT, 200, "", "", "\xc3\xa9\x01", 0, "\"\xc3\xa9\\u0001\""},
    {HTTP_AS_TEXT, 200, "", "", "ab\xe9", 4004, "not UTF-8: byte 2"},
    {HTTP_AS_TEXT, 200, "", "", "a\xc3", 4004, "not UTF-8: byte 1"},
    {HTTP_AS_TYPED, 200, "application/json", "", "[]", 0, "[]"},
    {HTTP_AS_TYPED, 200, "Application/JSON; charset=utf-8", "", "[]", 0, "[]"},
    {HTTP_AS_TYPED, 200, "application/problem+json", "", "[]", 0, "[]"},
    {HTTP_AS_TYPED, 200, "text/json ;x", "", "[]", 0, "[]"},
    {HTTP_AS_TYPED, 200, "application/json", "", "[", 4004, "no JSON"},
    {HTTP_AS_TYPED, 200, "application/jsonl", "", "[]", 0, "\"[]\""},
    {HTTP_AS_TYPED, 200, "text/html", "", "<a>", 0, "\"<a>\""},
    {HTTP_AS_TYPED, 200, "", "", "[]", 0, "\"[]\""},
    {HTTP_AS_TYPED, 204, "", "", "", 0, "null"},
    {HTTP_AS_JSON, 200, "application/json", "gzip", "1", 4004, "compressed"},
    {HTTP_AS_TYPED, 199, "", "", "x", 4003, "status 199"},
    {HTTP_AS_TYPED, 299, "", "", "x", 0, "\"x\""},
    {HTTP_AS_TYPED, 300, "", "", "x", 4003, "status 300"},
    {HTTP_AS_TYPED, 304, "", "", "", 4003, "status 304"},
    {HTTP_AS_JSON, 404, "", "", "{}", 4003, "status 404"},
    {HTTP_AS_TEXT, 500, "", "", "secret", 4003, "the server answered with status 500"},
};

static void assert_answer(const struct row *row, const struct answer *answer)
{
    ck_assert_int_eq(answer->code, row->code);
    ck_assert_int_eq(answer->failed, row->code != 0);
    if (!row->code) {
        assert_text(&answer->body, row->answer);
        return;
    }
    assert_contains(answer->body.at, row->answer);
    assert_lacks(answer->body.at, "secret");
    ck_assert_str_eq(answer->name,
                     row->code == 4003 ? "Unable to Reach Host" : "Unable to process the response");
}

START_TEST(an_answer_is_what_the_operation_declares_or_a_failure)
{
    const struct row *row = &rows[_i];
    const struct http_operation operation = {.type = row->as};
    struct http_reply reply = {.status = row->status};
    struct answer answer = {0};

    text_add(&reply.type, row->type);
    text_add(&reply.coding, row->coding);
    text_add(&reply.body, row->body);
    http_answer(&operation, &reply, &answer);
    assert_answer(row, &answer);
    text_deinit(&answer.body);
    http_reply_deinit(&reply);
}
END_TEST

/* Fills *reply with arrays in one another. */
static void nest(struct http_reply *reply, size_t depth)
{
    for (size_t i = 0; i < 2 * depth; i++)
        text_add_char(&reply->body, i < depth ? '[' : ']');
}

START_TEST(json_is_nested_at_most_64_levels_deep)
{
    const struct http_operation operation = {.type = HTTP_AS_JSON};
    struct http_reply fits = {.status = 200}, too_deep = {.status = 200};
    struct answer taken = {0}, refused = {0};

    nest(&fits, 64);
    nest(&too_deep, 65);
    http_answer(&operation, &fits, &taken);
    http_answer(&operation, &too_deep, &refused);
    ck_assert(!taken.failed);
    ck_assert_int_eq(refused.code, HTTP_UNPROCESSABLE);
    text_deinit(&taken.body);
    text_deinit(&refused.body);
    http_reply_deinit(&fits);
    http_reply_deinit(&too_deep);
}
END_TEST

START_TEST(a_text_with_a_nul_is_a_text)
{
    const struct http_operation operation = {.type = HTTP_AS_TEXT};
    struct http_reply reply = {.status = 200};
    struct answer answer = {0};

    text_add_bytes(&reply.body, "a\0b", 3);
    http_answer(&operation, &reply, &answer);
    assert_text(&answer.body, "\"a\\u0000b\"");
    text_deinit(&answer.body);
    http_reply_deinit(&reply);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("http_answer");

    tcase_add_loop_test(tests, an_answer_is_what_the_operation_declares_or_a_failure, 0,
                        ARRAY_SIZE(rows));
    tcase_add_test(tests, json_is_nested_at_most_64_levels_deep);
    tcase_add_test(tests, a_text_with_a_nul_is_a_text);
    return unit_run_case("http_answer", tests);
}
