#include <string.h>

#include <json-c/json.h>

#include "agents/sync/connectors/http_template.h"
#include "tests/support/unit.h"

/* What becomes of arguments in the places of a request. */

#define TEXT _cleanup_(text_deinitp) struct text

static struct http_arguments arguments = {
    .at = {{.name = "s", .type = HTTP_STRING},
           {.name = "n", .type = HTTP_NUMBER},
           {.name = "b", .type = HTTP_BOOLEAN},
           {.name = "j", .type = HTTP_ANY},
           {.name = "@call", .type = HTTP_STRING}},
    .count = 4,
};

#define KEY json_span_of("\"the key\"")

/* Fills a template with ["<s>", 1.50, true, {"x": [1]}], in a call with the key "the key". */
static enum err fill(const struct http_template *t, const char *s, struct text *out,
                     struct text *why)
{
    const struct json_span values[] = {json_span_of(s), json_span_of("1.50"), json_span_of("true"),
                                       json_span_of("{\"x\": [1]}"), KEY};

    return http_template_fill(t, values, out, why);
}

static const struct {
    const char *source, *s, *filled;
    enum http_place place;
} fills[] = {
    {"", "\"\"", "", HTTP_IN_PATH},
    {"/a/b%20c", "\"\"", "/a/b%20c", HTTP_IN_PATH},
    {"/{s}/{n}{b}", "\"x\"", "/x/1.50true", HTTP_IN_PATH},
    {"/{s}", "\"a/b?c#d%e\\u0000 \\u00e9\"", "/a%2Fb%3Fc%23d%25e%00%20%C3%A9", HTTP_IN_PATH},
    {"/{s}", "\"AZaz09-._~\"", "/AZaz09-._~", HTTP_IN_PATH},
    {"?q={s}&r={s}", "\"\"", "?q=&r=", HTTP_IN_QUERY},
    {"?q={s}", "\"a&b=c+d\\r\\n\"", "?q=a%26b%3Dc%2Bd%0D%0A", HTTP_IN_QUERY},
    {"k &={s}", "\"a b\"", "k%20%26%3Da%20b", HTTP_IN_FORM},
    {"/{s}?{@call}", "\"x\"", "/x?the%20key", HTTP_IN_PATH},
    {"{@call}", "\"\"", "the key", HTTP_IN_HEADER},
    {"{@call}", "\"\"", "\"the key\"", HTTP_IN_JSON},
    {"Bearer {s}", "\"a \\u00e9\"", "Bearer a \xc3\xa9", HTTP_IN_HEADER},
    {"{{{s}}} }} {{s}}", "\"a\\nb\"", "{a\nb} } {s}", HTTP_IN_TEXT},
    {"<a b='{s}'>{n}</a>", "\"<&>\\\"'\\n\"", "<a b='&lt;&amp;&gt;&quot;&apos;\n'>1.50</a>",
     HTTP_IN_XML},
    {"say \"{s}\"", "\"a\\\"b\\\\\\u0001\"", "say \\\"a\\\"b\\\\\\u0001\\\"", HTTP_IN_JSON_STRING},
    {"{s}{j}{n}", "\"a\\u00e9\"", "\"a\xc3\xa9\"{\"x\":[1]}1.50", HTTP_IN_JSON},
};

START_TEST(an_argument_is_encoded_for_its_place)
{
    _cleanup_(http_template_deinit) struct http_template t = {.arguments = &arguments};
    TEXT out = {0}, why = {0};

    assert_ok(
        http_template_add(&t, fills[_i].source, strlen(fills[_i].source), fills[_i].place, &why));
    assert_ok(fill(&t, fills[_i].s, &out, &why));
    assert_text(&out, fills[_i].filled);
    assert_text(&why, "");
}
END_TEST

static const struct {
    const char *s, *why;
    enum http_place place;
} refused[] = {
    {"\"\"", "argument s: must not be empty in a path", HTTP_IN_PATH},
    {"\"a\\r\\nHost: b\"", "argument s: must not hold control characters in a header",
     HTTP_IN_HEADER},
    {"\"a\\u0000\"", "argument s: must not hold control characters in a header", HTTP_IN_HEADER},
    {"\"a\\u007f\"", "argument s: must not hold control characters in a header", HTTP_IN_HEADER},
    {"\"a\\u0001\"", "argument s: holds a control character, which XML cannot", HTTP_IN_XML},
    {"\"\\u0000\"", "argument s: holds a control character, which XML cannot", HTTP_IN_XML},
};

START_TEST(an_argument_that_does_not_fit_its_place_is_refused)
{
    _cleanup_(http_template_deinit) struct http_template t = {.arguments = &arguments};
    TEXT out = {0}, why = {0};

    assert_ok(http_template_add(&t, "{s}", 3, refused[_i].place, &why));
    assert_err(fill(&t, refused[_i].s, &out, &why), ERR_RANGE);
    assert_text(&why, refused[_i].why);
}
END_TEST

static const struct {
    const char *source, *why;
    enum err e;
} mistakes[] = {
    {"a{s", "a { without its }", ERR_MALFORMED},
    {"{", "a { without its }", ERR_MALFORMED},
    {"a}b", "a } without its {", ERR_MALFORMED},
    {"{s}}", "a } without its {", ERR_MALFORMED},
    {"{}", "there is no argument ", ERR_NOT_FOUND},
    {"{ s}", "there is no argument  s", ERR_NOT_FOUND},
    {"{sn}", "there is no argument sn", ERR_NOT_FOUND},
    {"{j}", "j is json, which only a member or item of a JSON body can be", ERR_TYPE},
};

START_TEST(a_mistake_in_a_template_is_told)
{
    _cleanup_(http_template_deinit) struct http_template t = {.arguments = &arguments};
    TEXT why = {0};

    assert_err(
        http_template_add(&t, mistakes[_i].source, strlen(mistakes[_i].source), HTTP_IN_TEXT, &why),
        mistakes[_i].e);
    ck_assert(strncmp(text_str(&why), mistakes[_i].why, strlen(mistakes[_i].why)) == 0);
}
END_TEST

static const struct {
    const char *source, *filled; /* with s = a"b */
} json[] = {
    {"{\"a\": \"{s}\", \"b\": [\"{n}\", \"{j}\", \"{b}\"]}",
     "{\"a\":\"a\\\"b\",\"b\":[1.50,{\"x\":[1]},true]}"},
    {"\"to {s}, {n} times\"", "\"to a\\\"b, 1.50 times\""},
    {"\"{s}{s}\"", "\"a\\\"ba\\\"b\""},
    {"\"{{s}}\"", "\"{s}\""},
    {"[{}, [], \"\", null, false, -1.250e3]", "[{},[],\"\",null,false,-1.250e3]"},
    {"{\"{s}\": \"\\u0001\\\"\"}", "{\"{s}\":\"\\u0001\\\"\"}"},
};

START_TEST(the_strings_of_json_are_templates)
{
    _cleanup_(http_template_deinit) struct http_template t = {.arguments = &arguments};
    struct json_object *value = json_tokener_parse(json[_i].source);
    TEXT out = {0}, why = {0};

    assert_ok(http_template_add_json(&t, value, &why));
    assert_ok(fill(&t, "\"a\\\"b\"", &out, &why));
    assert_text(&out, json[_i].filled);
    json_object_put(value);
}
END_TEST

START_TEST(a_mistake_deep_in_json_is_told)
{
    _cleanup_(http_template_deinit) struct http_template t = {.arguments = &arguments};
    struct json_object *value = json_tokener_parse("[{\"a\": [\"{x}\"]}, \"{s}\"]");
    TEXT why = {0};

    assert_err(http_template_add_json(&t, value, &why), ERR_NOT_FOUND);
    assert_text(&why, "there is no argument x");
    json_object_put(value);
}
END_TEST

/* ---- Arguments ---- */

static const struct {
    const char *given, *why; /* NULL: they are taken */
} given[] = {
    {"{\"s\":\"\",\"n\":-0.5e3,\"b\":false,\"j\":null}", NULL},
    {"{\"j\":[],\"b\":true,\"n\":1,\"\\u0073\":\"\"}", NULL},
    {"[\"\",1,true,{}]", NULL},
    {"{}", "argument s: missing"},
    {"null", "argument s: missing"},
    {"{\"s\":\"\",\"n\":1,\"b\":true}", "argument j: missing"},
    {"{\"s\":\"\",\"n\":1,\"b\":true,\"j\":1,\"k\\n\":1}",
     "argument \"k\\n\": unknown, expected s, n, b, j"},
    {"{\"s\":\"\",\"n\":1,\"b\":true,\"j\":1,\"j\":1}", "argument j: stands there twice"},
    {"{\"s\":\"\",\"n\":1,\"b\":true,\"j\":1,\"@call\":\"\"}",
     "argument \"@call\": unknown, expected s, n, b, j"},
    {"[]", "expected 4 arguments, found 0"},
    {"[\"\",1,true,1,1]", "expected 4 arguments, found 5"},
    {"[1,1,true,1]", "argument s: expected string, found number"},
    {"[null,1,true,1]", "argument s: expected string, found null"},
    {"[\"\",\"1\",true,1]", "argument n: expected number, found string"},
    {"[\"\",1,1,1]", "argument b: expected boolean, found number"},
    {"[\"\",1,[],1]", "argument b: expected boolean, found array"},
    {"3", "arguments: expected an object or an array, found number"},
    {"\"s\"", "arguments: expected an object or an array, found string"},
    {"true", "arguments: expected an object or an array, found boolean"},
};

START_TEST(arguments_are_all_there_and_of_their_types)
{
    struct json_span values[HTTP_ARGUMENTS_MAX + 1];
    TEXT why = {0};
    const enum err e =
        http_arguments_read(&arguments, json_span_of(given[_i].given), KEY, values, &why);

    ck_assert_int_eq(e == ERR_OK, given[_i].why == NULL);
    assert_text(&why, given[_i].why ? given[_i].why : "");
    if (!e)
        ck_assert_int_eq(json_kind(values[0]), JSON_STRING);
    ck_assert(json_string_is(values[4], "the key"));
}
END_TEST

START_TEST(a_long_name_is_cut_between_characters)
{
    struct json_span values[HTTP_ARGUMENTS_MAX + 1];
    TEXT object = {0}, why = {0};

    text_add(&object, "{\"s\":\"\",\"n\":1,\"b\":true,\"j\":1,\"");
    for (int i = 0; i < 1000; i++)
        text_add(&object, "\xc3\xa9");
    text_add(&object, "\":1}");
    assert_err(http_arguments_read(&arguments, json_span_of(object.at), KEY, values, &why),
               ERR_MALFORMED);
    ck_assert_uint_eq(why.size, strlen("argument \": unknown, expected s, n, b, j") + 98);
    assert_contains(why.at, "\xc3\xa9: unknown");
}
END_TEST

START_TEST(an_integer_has_no_fraction_and_any_size)
{
    const struct http_arguments integer = {.at = {{.name = "i", .type = HTTP_INTEGER}}, .count = 1};
    struct json_span values[HTTP_ARGUMENTS_MAX + 1];
    TEXT why = {0};

    assert_ok(
        http_arguments_read(&integer, json_span_of("[-123456789012345678901]"), KEY, values, &why));
    assert_err(http_arguments_read(&integer, json_span_of("[1.0]"), KEY, values, &why), ERR_TYPE);
    assert_text(&why, "argument i: expected integer, found number");
}
END_TEST

START_TEST(an_operation_without_arguments_takes_none)
{
    const struct http_arguments none = {.count = 0};
    static const char *const good[] = {"null", "{}", "[]"}, *const bad[] = {"[1]", "{\"a\":1}"};
    struct json_span values[HTTP_ARGUMENTS_MAX + 1];
    TEXT why = {0};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_ok(http_arguments_read(&none, json_span_of(good[i]), KEY, values, &why));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_err(http_arguments_read(&none, json_span_of(bad[i]), KEY, values, &why),
                   ERR_MALFORMED);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("http_template");

    tcase_add_loop_test(tests, an_argument_is_encoded_for_its_place, 0, ARRAY_SIZE(fills));
    tcase_add_loop_test(tests, an_argument_that_does_not_fit_its_place_is_refused, 0,
                        ARRAY_SIZE(refused));
    tcase_add_loop_test(tests, a_mistake_in_a_template_is_told, 0, ARRAY_SIZE(mistakes));
    tcase_add_loop_test(tests, the_strings_of_json_are_templates, 0, ARRAY_SIZE(json));
    tcase_add_test(tests, a_mistake_deep_in_json_is_told);
    tcase_add_loop_test(tests, arguments_are_all_there_and_of_their_types, 0, ARRAY_SIZE(given));
    tcase_add_test(tests, a_long_name_is_cut_between_characters);
    tcase_add_test(tests, an_integer_has_no_fraction_and_any_size);
    tcase_add_test(tests, an_operation_without_arguments_takes_none);
    return unit_run_case("http_template", tests);
}
