#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "agents/sync/connectors/http_operation.h"
#include "common/json/json_get.h"
#include "tests/support/unit.h"

/* What operations may declare, and how mistakes are told. */

#define TEXT _cleanup_(text_deinitp) struct text

/* The section with one operation o, which has an argument a, a string, and a j, json. */
#define OPERATION(members)                                                          \
    "{\"operations\":{\"o\":{\"run\":\"everyone\",\"deadlineMs\":1,\"arguments\":[" \
    "{\"name\":\"a\",\"type\":\"string\"},{\"name\":\"j\",\"type\":\"json\"}]," members "}}}"
#define URL(url)      OPERATION("\"method\":\"POST\",\"body\":\"arguments\",\"url\":\"" url "\"")
#define MORE(members) URL("http://a.example\"," members ",\"type\":\"text")
#define HEADER(row)   MORE("\"headers\":{" row "}")
#define BODY(body)    OPERATION("\"method\":\"POST\",\"url\":\"http://a/\",\"body\":" body)
#define ARGUMENTS(items) \
    "{\"operations\":{\"o\":{\"method\":\"GET\",\"url\":\"http://a/\",\"arguments\":" items "}}}"

#define AT "http.operations.o"

struct loaded {
    struct json_object *tree;
    struct http_operations operations;
    struct text problems;
};

static void unload(struct loaded *l)
{
    http_operations_deinit(&l->operations);
    json_object_put(l->tree);
    text_deinit(&l->problems);
}

static enum err load(const char *section, struct loaded *l)
{
    TEXT content = {0};

    *l = (struct loaded){0};
    text_add(&content, section);
    ck_assert_msg(json_get_text("section", &content, &l->tree, &l->problems) == ERR_OK, "%s: %s",
                  section, text_str(&l->problems));
    return http_operations_load(l->tree, &l->operations, &l->problems);
}

static const struct {
    const char *section, *told;
} mistakes[] = {
    // clang-format off
    {"{\"operation\":{}}", "http.operation: unknown"},
    {"{\"operations\":[]}", "http.operations: expected an object"},
    {OPERATION("\"x\":1"), AT ".x: unknown"},
    {OPERATION("\"x\":1"), AT ".method: missing, expected a string"},
    {OPERATION("\"x\":1"), AT ".url: missing, expected a string"},
    {OPERATION("\"x\":1"), AT ".arguments: nothing has a in it"},
    {OPERATION("\"method\":\"get\""), AT ".method: expected DELETE, GET, HEAD, PATCH, POST or PUT"},
    {OPERATION("\"method\":1"), AT ".method: expected a string, found a number"},
    /* the URL */
    {URL(""), AT ".url: expected http:// or https://"},
    {URL("a.example/x"), AT ".url: expected http:// or https://"},
    {URL("ftp://a.example/x"), AT ".url: expected http:// or https://"},
    {URL("https:///x"), AT ".url: expected http:// or https://"},
    {URL("https://u:p@a.example/"), AT ".url: expected http:// or https://, a host, and no user"},
    {URL("https://{a}/"), AT ".url: only behind the host there are arguments"},
    {URL("https://a.example{a}/"), AT ".url: only behind the host there are arguments"},
    {URL("{a}://a.example/"), AT ".url: only behind the host there are arguments"},
    {URL("https://a.example:{a}?b"), AT ".url: only behind the host there are arguments"},
    {URL("https://a.example/a b"), AT ".url: expected what is not a letter of URLs"},
    {URL("https://a.example/\xc3\xa9"), AT ".url: expected what is not a letter of URLs"},
    {URL("https://a.example/#{a}"), AT ".url: expected what is not a letter of URLs"},
    {URL("https://a.example/a\\r\\nb"), AT ".url: expected what is not a letter of URLs"},
    {URL("https://a.example/../a"), AT ".url: a segment . or .. of the path is not sent"},
    {URL("https://a.example/{b}"), AT ".url: there is no argument b"},
    {URL("https://a.example/?a={j}"), AT ".url: j is json"},
    {URL("https://a.example/?a={a"), AT ".url: a { without its }"},
    {MORE("\"redirectHosts\":\"b\""), AT ".redirectHosts: expected an array"},
    {MORE("\"redirectHosts\":[\"b.example\",1]"), AT ".redirectHosts[1]: expected a host"},
    {MORE("\"redirectHosts\":[\"\"]"), AT ".redirectHosts[0]: expected a host"},
    {MORE("\"redirectHosts\":[\"http://b\"]"), AT ".redirectHosts[0]: expected a host"},
    {MORE("\"redirectHosts\":[\"b/x\"]"), AT ".redirectHosts[0]: expected a host"},
    {MORE("\"redirectHosts\":[\"u@b\"]"), AT ".redirectHosts[0]: expected a host"},
    {MORE("\"redirectHosts\":[\"b:x\"]"), AT ".redirectHosts[0]: expected a host"},
    {MORE("\"redirectHosts\":[\"{a}\"]"), AT ".redirectHosts[0]: expected a host"},
    /* headers */
    {HEADER("\"X Y\":\"\""), AT ".headers.X Y: no name of a header"},
    {HEADER("\"\":\"\""), AT ".headers.: no name of a header"},
    {HEADER("\"X:\":\"\""), AT ".headers.X:: no name of a header"},
    {HEADER("\"X\\r\\nY\":\"\""), ": no name of a header"},
    {HEADER("\"host\":\"b\""), AT ".headers.host: not for a file to say"},
    {HEADER("\"Content-Length\":\"1\""), AT ".headers.Content-Length: not for a file to say"},
    {HEADER("\"accept-encoding\":\"gzip\""), AT ".headers.accept-encoding: not for a file to say"},
    {HEADER("\"X-A\":\"\",\"x-a\":\"\""), AT ".headers.x-a: stands there twice"},
    {HEADER("\"X\":1"), AT ".headers.X: expected a string or {\"file\": path}"},
    {HEADER("\"X\":\"a\\r\\nY: b\""), AT ".headers.X: expected one line without control"},
    {HEADER("\"X\":\"{c}\""), AT ".headers.X: there is no argument c"},
    {HEADER("\"X\":{}"), AT ".headers.X.file: missing"},
    {HEADER("\"X\":{\"file\":\"/nowhere/at-all\"}"),
     AT ".headers.X.file: /nowhere/at-all: No such file or directory"},
    {HEADER("\"X\":{\"file\":\"/dev/null\",\"more\":1}"), AT ".headers.X.more: unknown"},
    {HEADER("\"X\":{\"file\":\"/dev/null\",\"prefix\":\"a\\nb\"}"), AT ".headers.X.prefix: expected one line"},
    {HEADER("\"X\":{\"file\":\"/dev/null\"}"), AT ".headers.X.file: /dev/null: empty"},
    {HEADER("\"X\":{\"file\":\"/dev/zero\"}"), AT ".headers.X.file: /dev/zero: too large"},
    /* the body */
    {OPERATION("\"method\":\"GET\",\"url\":\"http://a/\",\"body\":\"arguments\""), AT ".body: a GET has none"},
    {OPERATION("\"method\":\"HEAD\",\"url\":\"http://a/\",\"body\":\"arguments\""), AT ".body: a HEAD has none"},
    {BODY("\"{a}\""), AT ".body: expected \"arguments\", or an object with one of json, form"},
    {BODY("null"), AT ".body: expected \"arguments\""},
    {BODY("{}"), AT ".body: expected \"arguments\""},
    {BODY("{\"json\":1,\"text\":\"\"}"), AT ".body: expected \"arguments\""},
    {BODY("{\"yaml\":1}"), AT ".body: expected \"arguments\""},
    {BODY("{\"json\":[\"{x}\"]}"), AT ".body.json: there is no argument x"},
    {BODY("{\"json\":\"{a} {j}\"}"), AT ".body.json: j is json"},
    {BODY("{\"text\":1}"), AT ".body.text: expected a string"},
    {BODY("{\"text\":\"{j}\"}"), AT ".body.text: j is json"},
    {BODY("{\"xml\":[]}"), AT ".body.xml: expected a string"},
    {BODY("{\"form\":\"a=b\"}"), AT ".body.form: expected an object of strings"},
    {BODY("{\"form\":{\"x\":1}}"), AT ".body.form: expected a string"},
    {BODY("{\"form\":{\"{x}\":\"\"}}"), AT ".body.form: there is no argument x"},
    /* what may be answered */
    {OPERATION("\"type\":\"xml\""), AT ".type: expected json, text or byContentType"},
    {MORE("\"timeoutMs\":0"), AT ".timeoutMs: expected 1 to 86400000"},
    {MORE("\"timeoutMs\":86400001"), AT ".timeoutMs: expected 1 to 86400000"},
    {MORE("\"maxBytes\":0"), AT ".maxBytes: expected 1 to 8388608"},
    {MORE("\"maxBytes\":8388609"), AT ".maxBytes: expected 1 to 8388608"},
    {MORE("\"maxRedirects\":-1"), AT ".maxRedirects: expected 0 to 20"},
    {MORE("\"maxRedirects\":21"), AT ".maxRedirects: expected 0 to 20"},
    {MORE("\"allowPrivate\":1"), AT ".allowPrivate: expected a boolean"},
    {MORE("\"caFile\":\"/nowhere/at-all\""), AT ".caFile: /nowhere/at-all: No such file"},
    /* arguments */
    {ARGUMENTS("{}"), AT ".arguments: expected an array"},
    {ARGUMENTS("[1]"), AT ".arguments[0]: expected an object"},
    {ARGUMENTS("[{\"name\":\"b\"}]"), AT ".arguments[0].type: missing"},
    {ARGUMENTS("[{\"type\":\"string\"}]"), AT ".arguments[0].name: missing"},
    {ARGUMENTS("[{\"name\":\"\",\"type\":\"string\"}]"), AT ".arguments[0].name: expected at least one"},
    {ARGUMENTS("[{\"name\":\"a}\",\"type\":\"string\"}]"), AT ".arguments[0].name: expected at least one"},
    {ARGUMENTS("[{\"name\":\"@call\",\"type\":\"string\"}]"), AT ".arguments[0].name: expected at least one"},
    {ARGUMENTS("[{\"name\":\"b\",\"type\":\"date\"}]"), AT ".arguments[0].type: expected string, number"},
    {ARGUMENTS("[{\"name\":\"b\",\"type\":\"json\",\"x\":1}]"), AT ".arguments[0].x: unknown"},
    {ARGUMENTS("[{\"name\":\"b\",\"type\":\"json\"},{\"name\":\"b\",\"type\":\"json\"}]"),
     AT ".arguments[1].name: b stands there twice"},
    {ARGUMENTS("[{\"name\":\"b\",\"type\":\"string\"}]"), AT ".arguments: nothing has b in it"},
    // clang-format on
};

START_TEST(a_mistake_is_told_with_its_path)
{
    _cleanup_(unload) struct loaded l;

    assert_err(load(mistakes[_i].section, &l), ERR_CONFIG);
    assert_contains(l.problems.at, mistakes[_i].told);
    ck_assert_uint_eq(l.operations.count, 0);
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
    _cleanup_(unload) struct loaded l;

    assert_err(load("{\"operations\":{\"a\":{\"method\":\"X\"},\"b\":{\"url\":\"x\"}}}", &l),
               ERR_CONFIG);
    assert_contains(l.problems.at, "http.operations.a.method: ");
    assert_contains(l.problems.at, "http.operations.a.url: ");
    assert_contains(l.problems.at, "http.operations.b.method: ");
    assert_contains(l.problems.at, "http.operations.b.url: ");
}
END_TEST

START_TEST(more_than_64_arguments_are_refused)
{
    _cleanup_(unload) struct loaded most, more;
    TEXT items = {0}, query = {0};

    for (int count = 1; count <= HTTP_ARGUMENTS_MAX + 1; count++) {
        TEXT section = {0};

        text_addf(&items, "%s{\"name\":\"a%d\",\"type\":\"string\"}", count > 1 ? "," : "", count);
        text_addf(&query, "{a%d}", count);
        if (count < HTTP_ARGUMENTS_MAX)
            continue;
        text_addf(&section,
                  "{\"operations\":{\"o\":{\"method\":\"GET\",\"url\":\"http://a/?%s\","
                  "\"arguments\":[%s]}}}",
                  query.at, items.at);
        if (count == HTTP_ARGUMENTS_MAX)
            assert_ok(load(section.at, &most));
        else
            assert_err(load(section.at, &more), ERR_CONFIG);
    }
    assert_contains(more.problems.at, AT ".arguments: more than 64");
}
END_TEST

START_TEST(an_operation_is_found_by_its_name_with_what_it_declares)
{
    static const char section[] =
        "{\"operations\":{\"b\":{\"method\":\"GET\",\"url\":\"https://b.example:443/x\"},"
        "\"a\":{\"method\":\"PUT\",\"url\":\"http://"
        "a.example\",\"type\":\"json\",\"maxBytes\":8388608,"
        "\"timeoutMs\":1,\"maxRedirects\":0,\"allowPrivate\":true,\"redirectHosts\":[\"c:8080\"]}}"
        "}";
    _cleanup_(unload) struct loaded l;
    const struct http_operation *a, *b;

    assert_ok(load(section, &l));
    a = http_operations_find(&l.operations, "a");
    b = http_operations_find(&l.operations, "b");
    ck_assert_ptr_null(http_operations_find(&l.operations, "c"));
    ck_assert_str_eq(a->method->name, "PUT");
    ck_assert(a->type == HTTP_AS_JSON && a->max_bytes == 8388608 && a->timeout_ms == 1);
    ck_assert(a->max_redirects == 0 && a->allow_private && a->origin_count == 2);
    ck_assert_str_eq(a->origins[1].port, "8080");
    ck_assert(b->type == HTTP_AS_TYPED && b->max_bytes == 1048576 && b->max_redirects == 5);
    ck_assert(!b->allow_private && b->origin_count == 1 && b->origins[0].tls);
    ck_assert_ptr_null(b->origins[0].port);
}
END_TEST

/* What the header is without arguments. */
static void assert_header(const struct http_header *header, const char *name, const char *value,
                          bool is_secret)
{
    TEXT filled = {0}, why = {0};

    ck_assert_str_eq(header->name, name);
    assert_ok(http_template_fill(&header->value, NULL, &filled, &why));
    assert_text(&filled, value);
    ck_assert_int_eq(header->is_secret, is_secret);
}

START_TEST(a_header_from_a_file_is_its_line_and_secret)
{
    char path[] = "/tmp/unit-http-XXXXXX";
    const int fd = mkstemp(path);
    _cleanup_(unload) struct loaded l;
    TEXT section = {0};

    ck_assert_int_eq(write(fd, "se{cr}et\r\n", 10), 10);
    close(fd);
    text_addf(
        &section,
        "{\"operations\":{\"o\":{\"method\":\"GET\",\"url\":\"http://a\",\"headers\":"
        "{\"X-Key\":{\"file\":\"%s\",\"prefix\":\"Key \"},\"cookie\":\"c\",\"X\":\"{{x}}\"}}}}",
        path);
    assert_ok(load(section.at, &l));
    unlink(path);
    ck_assert_uint_eq(l.operations.at[0]->header_count, 3);
    assert_header(&l.operations.at[0]->headers[0], "X-Key", "Key se{cr}et", true);
    assert_header(&l.operations.at[0]->headers[1], "cookie", "c", true);
    assert_header(&l.operations.at[0]->headers[2], "X", "{x}", false);
}
END_TEST

START_TEST(a_body_has_a_type_unless_the_headers_say_it)
{
    _cleanup_(unload) struct loaded own, other;

    assert_ok(load("{\"operations\":{\"o\":{\"method\":\"POST\",\"url\":\"http://a\","
                   "\"body\":{\"form\":{\"a\":\"b\"}}}}}",
                   &own));
    assert_ok(load("{\"operations\":{\"o\":{\"method\":\"POST\",\"url\":\"http://a\","
                   "\"headers\":{\"content-type\":\"text/csv\"},\"body\":{\"text\":\"a;b\"}}}}",
                   &other));
    ck_assert_uint_eq(own.operations.at[0]->header_count, 1);
    assert_header(&own.operations.at[0]->headers[0], "Content-Type",
                  "application/x-www-form-urlencoded", false);
    ck_assert_uint_eq(other.operations.at[0]->header_count, 1);
    assert_header(&other.operations.at[0]->headers[0], "content-type", "text/csv", false);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("http_operation");

    tcase_add_loop_test(tests, a_mistake_is_told_with_its_path, 0, ARRAY_SIZE(mistakes));
    tcase_add_test(tests, all_mistakes_are_told_at_once);
    tcase_add_test(tests, more_than_64_arguments_are_refused);
    tcase_add_test(tests, an_operation_is_found_by_its_name_with_what_it_declares);
    tcase_add_test(tests, a_header_from_a_file_is_its_line_and_secret);
    tcase_add_test(tests, a_body_has_a_type_unless_the_headers_say_it);
    return unit_run_case("http_operation", tests);
}
