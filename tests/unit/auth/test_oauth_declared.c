#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "agents/auth/oauth/declared.h"
#include "common/json/json_get.h"
#include "tests/support/unit.h"

#define GOOD                                                                     \
    "\"id\":\"GOOGLE\",\"issuer\":\"https://a.example.org\",\"clientId\":\"c\"," \
    "\"redirectUris\":[\"http://b.example.org/\"]"

/* Reads an entry, told of as "p". */
static enum err read(const char *json, struct oauth_declared *out, struct text *problems)
{
    struct json_object *entry = json_tokener_parse(json);
    enum err e;

    ck_assert_ptr_nonnull(entry);
    e = oauth_declared_read(entry, "p", out, problems);
    json_object_put(entry);
    return e;
}

START_TEST(an_entry_is_read)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct oauth_declared d;

    assert_ok(read("{" GOOD ",\"audiences\":[\"d\"],\"issuerNames\":[\"a\"]}", &d, &problems));
    ck_assert_str_eq(d.id, "GOOGLE");
    ck_assert(oauth_names_have(&d.audiences, "c") && oauth_names_have(&d.audiences, "d"));
    ck_assert(oauth_names_have(&d.issuers, "https://a.example.org"));
    ck_assert(oauth_names_have(&d.issuers, "a") && !oauth_names_have(&d.issuers, "b"));
    ck_assert(oauth_names_have(&d.redirect_uris, "http://b.example.org/"));
    ck_assert_str_eq(d.subject_claim, "sub");
    ck_assert(!d.allow_private && !d.secret_in_body && !d.secret.size && !d.require_pkce);
    ck_assert(!oauth_declared_is_whole(&d));
    oauth_declared_deinit(&d);
}
END_TEST

START_TEST(a_code_verifier_may_be_demanded)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct oauth_declared d;

    assert_ok(read("{" GOOD ",\"requirePkce\":true}", &d, &problems));
    ck_assert(d.require_pkce);
    oauth_declared_deinit(&d);
}
END_TEST

START_TEST(every_mistake_is_told_with_its_place)
{
    static const struct {
        const char *json, *told;
    } rows[] = {
        {"[]", "p: expected an object"},
        {"{}", "p.id: "},
        {"{}", "p.clientId: "},
        {"{}", "p.redirectUris: "},
        {"{}", "p.issuer: is missing"},
        {"{" GOOD ",\"more\":1}", "more"},
        {"{" GOOD ",\"id\":\"a b\"}", "p.id: expected 1 to 100 letters"},
        {"{" GOOD ",\"id\":\"Dev\"}", "p.id: expected"},
        {"{" GOOD ",\"id\":\"anonymous\"}", "p.id: expected"},
        {"{" GOOD ",\"issuer\":\"http://a.example.org\"}", "p.issuer: expected a URL of https"},
        {"{" GOOD ",\"issuer\":\"https://u:p@a.example.org\"}", "p.issuer: expected a URL"},
        {"{" GOOD ",\"issuer\":\"https://a.example.org/#x\"}", "p.issuer: expected a URL"},
        {"{" GOOD ",\"clientId\":\"\"}", "p.clientId: expected a text of one line"},
        {"{" GOOD ",\"clientId\":\"a\\nb\"}", "p.clientId: expected a text of one line"},
        {"{" GOOD ",\"clientSecretFile\":\"/nowhere\"}", "p.clientSecretFile: /nowhere: No such"},
        {"{" GOOD ",\"clientAuth\":\"jwt\"}", "p.clientAuth: expected \"basic\" or \"post\""},
        {"{" GOOD ",\"redirectUris\":[1]}", "p.redirectUris[0]: expected a text"},
        {"{" GOOD ",\"redirectUris\":\"x\"}", "p.redirectUris: expected an array"},
        {"{" GOOD ",\"audiences\":[\"\"]}", "p.audiences[0]: expected a text"},
        {"{" GOOD ",\"endpoints\":{\"token\":\"http://x/\"}}", "p.endpoints.token: expected a URL"},
        {"{" GOOD ",\"endpoints\":{\"revocation\":\"https://x/\"}}", "revocation"},
        {"{" GOOD ",\"caFile\":\"/nowhere\"}", "p.caFile: /nowhere cannot be read"},
        {"{" GOOD ",\"allowPrivate\":\"yes\"}", "p.allowPrivate: expected"},
        {"{" GOOD ",\"requirePkce\":\"yes\"}", "p.requirePkce: expected"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text problems = {0};
        struct oauth_declared d;

        assert_err(read(rows[i].json, &d, &problems), ERR_CONFIG);
        assert_contains(text_str(&problems), rows[i].told);
        ck_assert_ptr_null(d.tree);
    }
}
END_TEST

/* `count` names in a list. */
static void add_list(struct text *out, const char *name, size_t count)
{
    text_addf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        text_addf(out, "%s\"n%zu\"", i ? "," : "", i);
    text_add_char(out, ']');
}

START_TEST(a_list_has_its_bound)
{
    for (size_t more = 0; more < 2; more++) {
        _cleanup_(text_deinitp) struct text problems = {0}, json = {0};
        struct oauth_declared d;

        text_add(&json, "{" GOOD);
        add_list(&json, "audiences", OAUTH_URIS_MAX - 1 + more); /* the client id is one */
        text_add_char(&json, '}');
        assert_err(read(json.at, &d, &problems), more ? ERR_CONFIG : ERR_OK);
        oauth_declared_deinit(&d);
    }
}
END_TEST

START_TEST(without_an_issuer_all_endpoints_are_needed)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct oauth_declared d;

    assert_ok(
        read("{\"id\":\"github\",\"clientId\":\"c\",\"redirectUris\":[],\"subjectClaim\":\"id\","
             "\"endpoints\":{\"token\":\"https://x/\",\"userinfo\":\"https://y/\"}}",
             &d, &problems));
    ck_assert(oauth_declared_is_whole(&d));
    oauth_declared_deinit(&d);
}
END_TEST

/* Only the file of the secret is somebody's own. */
START_TEST(the_example_is_good)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct oauth_declared d;
    struct json_object *file;

    assert_ok(json_get_file(EXAMPLE_OAUTH, &file, &problems));
    assert_err(oauth_declared_read(json_object_array_get_idx(file, 0), "p", &d, &problems),
               ERR_CONFIG);
    assert_text(&problems, "p.clientSecretFile: /etc/activestack/google.secret: "
                           "No such file or directory\n");
    json_object_put(file);
}
END_TEST

UNIT_SUITE("oauth declared", an_entry_is_read, a_code_verifier_may_be_demanded,
           every_mistake_is_told_with_its_place, a_list_has_its_bound,
           without_an_issuer_all_endpoints_are_needed, the_example_is_good)
