#include <stdlib.h>
#include <string.h>

#include "agents/auth/credentials.h"
#include "tests/support/unit.h"

/* Reads the credentials of a request with this body. */
static enum err read(const char *body, struct credentials *out, struct text *problem)
{
    const struct msg m = {
        .queue = "authenticate", .client = "c1", .body = body, .size = strlen(body)};
    const struct operation *operation = operation_by_name("authenticate", strlen("authenticate"));
    struct request request;
    enum err e;

    assert_ok(request_read(&request, operation, &m, problem));
    e = credentials_read(&request, out, problem);
    request_deinit(&request);
    return e;
}

/* A body whose member `name` has `size` bytes. */
static void add_body_with(struct text *out, const char *name, size_t size)
{
    text_addf(out, "{\"authProvider\":\"file\",\"%s\":\"", name);
    for (size_t i = 0; i < size; i++)
        text_add_char(out, 'x');
    text_add(out, "\"}");
}

START_TEST(provider_and_credential_are_read_as_they_are)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct credentials c;

    assert_ok(read("{\"authProvider\":\"File\",\"credential\":\"\\u00e9:p\\\"w\"}", &c, &problem));
    ck_assert_str_eq(c.provider, "File");
    ck_assert_str_eq(c.credential, "\xc3\xa9:p\"w");
    credentials_deinit(&c);
    ck_assert_ptr_null(c.credential);
}
END_TEST

START_TEST(an_empty_credential_is_one_but_an_absent_or_null_one_is_none)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct credentials c;

    assert_ok(read("{\"authProvider\":\"file\",\"credential\":\"\"}", &c, &problem));
    ck_assert_str_eq(c.credential, "");
    credentials_deinit(&c);
    assert_ok(read("{\"authProvider\":\"file\",\"credential\":null}", &c, &problem));
    ck_assert_ptr_null(c.credential);
    credentials_deinit(&c);
    assert_ok(read("{\"authProvider\":\"file\"}", &c, &problem));
    ck_assert_ptr_null(c.credential);
    credentials_deinit(&c);
}
END_TEST

START_TEST(what_is_no_string_is_told_and_leaves_nothing)
{
    static const struct {
        const char *body, *told;
    } rows[] = {
        {"{}", "authProvider: expected a string"},
        {"{\"credential\":\"a:b\"}", "authProvider: expected a string"},
        {"{\"authProvider\":null}", "authProvider: expected a string"},
        {"{\"authProvider\":\"\"}", "authProvider: expected 1 to 4096 bytes"},
        {"{\"authProvider\":\"a\\u0000b\"}", "authProvider: expected 1 to 4096 bytes"},
        {"{\"authProvider\":\"file\",\"credential\":1}", "credential: expected a string"},
        {"{\"authProvider\":\"file\",\"credential\":{\"a\":\"b\"}}",
         "credential: expected a string"},
        {"{\"authProvider\":\"file\",\"credential\":\"a\\u0000:b\"}",
         "credential: expected at most"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text problem = {0};
        struct credentials c;

        assert_err(read(rows[i].body, &c, &problem), ERR_MALFORMED);
        assert_contains(text_str(&problem), rows[i].told);
        ck_assert_ptr_null(c.provider);
        ck_assert_ptr_null(c.credential);
    }
}
END_TEST

START_TEST(a_credential_has_at_most_4096_bytes)
{
    _cleanup_(text_deinitp) struct text problem = {0}, fits = {0}, longer = {0};
    struct credentials c;

    add_body_with(&fits, "credential", CREDENTIALS_MAX);
    assert_ok(read(text_str(&fits), &c, &problem));
    credentials_deinit(&c);
    add_body_with(&longer, "credential", CREDENTIALS_MAX + 1);
    assert_err(read(text_str(&longer), &c, &problem), ERR_MALFORMED);
}
END_TEST

UNIT_SUITE("credentials", provider_and_credential_are_read_as_they_are,
           an_empty_credential_is_one_but_an_absent_or_null_one_is_none,
           what_is_no_string_is_told_and_leaves_nothing, a_credential_has_at_most_4096_bytes)
