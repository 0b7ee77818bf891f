#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/auth/providers/provider.h"
#include "common/secret.h"
#include "tests/support/unit.h"

#define PASSWORD "correct horse"

/* Opens `list` with a users file of this content (NULL: the setting is empty). */
static enum err open_with(const char *list, const char *content, struct providers **out,
                          struct text *problems)
{
    char path[] = "/tmp/unit-users-XXXXXX", names[64], id[] = "File", none[] = "";
    struct settings settings = {.auth_providers = names,
                                .auth_file_provider_id = id,
                                .auth_users_file = content ? path : none};
    enum err e;

    snprintf(names, sizeof(names), "%s", list);
    if (content) {
        FILE *file = fdopen(mkstemp(path), "w");

        ck_assert_ptr_nonnull(file);
        fputs(content, file);
        fclose(file);
    }
    e = providers_open(&settings, out, problems);
    if (content)
        unlink(path);
    return e;
}

/* A users file with Ada, whose password is PASSWORD. */
static void add_users(struct text *out)
{
    assert_ok(secret_init());
    text_add(out, "[{\"firstName\":\"Ada\",\"lastName\":\"Example\",\"email\":\"ada@example.org\","
                  "\"passHash\":\"");
    assert_ok(secret_password_hash(PASSWORD, strlen(PASSWORD), out));
    text_add(out, "\"}]");
}

static struct providers *opened(const char *list)
{
    _cleanup_(text_deinitp) struct text users = {0}, problems = {0};
    struct providers *providers;

    add_users(&users);
    assert_ok(open_with(list, text_str(&users), &providers, &problems));
    assert_text(&problems, "");
    return providers;
}

START_TEST(a_provider_is_found_in_any_case_if_it_is_open)
{
    _cleanup_(providers_closep) struct providers *providers = opened("file");

    ck_assert_ptr_nonnull(providers_find(providers, "FILE"));
    ck_assert_str_eq(providers_find(providers, "file")->id, "file");
    ck_assert_ptr_null(providers_find(providers, "anonymous"));
    ck_assert_ptr_null(providers_find(providers, "fil"));
    ck_assert_ptr_null(providers_find(providers, ""));
}
END_TEST

START_TEST(the_right_password_gives_the_account)
{
    _cleanup_(providers_closep) struct providers *providers = opened("anonymous, file");
    const struct provider *file = providers_find(providers, "file");
    struct account account;

    ck_assert_int_eq(file->kind->verify(file, "ada@example.org:" PASSWORD, &account), AUTH_SUCCESS);
    ck_assert_str_eq(account.id, "ada@example.org");
    ck_assert_str_eq(account.first_name, "Ada");
    ck_assert_str_eq(account.last_name, "Example");
    ck_assert_str_eq(account.email, "ada@example.org");
}
END_TEST

START_TEST(every_other_credential_is_refused_alike)
{
    static const char *const credentials[] = {
        "",
        ":",
        "ada@example.org",
        "ada@example.org:",
        "ada@example.org:wrong",
        "Ada@example.org:" PASSWORD,
        "ada@example.or:" PASSWORD,
        "ada@example.org2:" PASSWORD,
        ":" PASSWORD,
        "ada@example.org:" PASSWORD ":",
        "ada@example.org::" PASSWORD,
        "ada@example.org:" PASSWORD " ",
    };
    _cleanup_(providers_closep) struct providers *providers = opened("file");
    const struct provider *file = providers_find(providers, "file");
    struct account account;

    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++)
        ck_assert_int_eq(file->kind->verify(file, credentials[i], &account), AUTH_FORBIDDEN);
}
END_TEST

START_TEST(anonymous_needs_no_credential_and_is_always_the_same_user)
{
    _cleanup_(providers_closep) struct providers *providers = opened("anonymous");
    const struct provider *anonymous = providers_find(providers, "Anonymous");
    struct account account;

    ck_assert(!anonymous->kind->needs_credential);
    ck_assert_int_eq(anonymous->kind->verify(anonymous, NULL, &account), AUTH_SUCCESS);
    ck_assert_str_eq(account.id, "ANON");
    ck_assert_str_eq(account.first_name, "ANON");
    ck_assert_str_eq(account.last_name, "ANON");
}
END_TEST

START_TEST(a_list_of_providers_that_is_wrong_is_told)
{
    static const struct {
        const char *list, *told;
    } rows[] = {
        {"anonymous,ldap", "\"ldap\""},
        {"anonymous, anonymous", "is there twice"},
        {" , ", "is empty"},
        {"file", "auth.users_file: is needed"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text problems = {0};
        struct providers *providers;

        assert_err(open_with(rows[i].list, NULL, &providers, &problems), ERR_CONFIG);
        assert_contains(text_str(&problems), rows[i].told);
        ck_assert_ptr_null(providers);
    }
}
END_TEST

START_TEST(all_mistakes_of_a_users_file_are_told)
{
    static const char content[] =
        "[7,{\"firstName\":1,\"email\":\"a\",\"passHash\":\"\",\"more\":0},"
        "{\"firstName\":\"\",\"lastName\":\"\",\"email\":\"a:b\",\"passHash\":\"$argon2id$v=19$\"},"
        /* well-formed, but it costs more than ours do */
        "{\"firstName\":\"\",\"lastName\":\"\",\"email\":\"c\",\"passHash\":\""
        "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]";
    _cleanup_(text_deinitp) struct text problems = {0};
    struct providers *providers;

    assert_ok(secret_init());
    assert_err(open_with("file", content, &providers, &problems), ERR_CONFIG);
    assert_contains(text_str(&problems), "auth.users_file[0]: expected an object\n");
    assert_contains(text_str(&problems), "auth.users_file[1].firstName: ");
    assert_contains(text_str(&problems), "auth.users_file[1].lastName: ");
    assert_contains(text_str(&problems), "auth.users_file[1].more: ");
    assert_contains(text_str(&problems), "auth.users_file[2].email: ");
    assert_contains(text_str(&problems), "auth.users_file[2].passHash: ");
    assert_contains(text_str(&problems), "auth.users_file[3].passHash: ");
}
END_TEST

START_TEST(a_user_who_is_there_twice_is_told)
{
    _cleanup_(text_deinitp) struct text users = {0}, twice = {0}, problems = {0};
    struct providers *providers;

    add_users(&users);
    users.at[users.size - 1] = ','; /* instead of the closing bracket */
    text_addf(&twice, "%s%s", text_str(&users), text_str(&users) + 1);
    twice.at[twice.size - 1] = ']';
    assert_err(open_with("file", text_str(&twice), &providers, &problems), ERR_CONFIG);
    assert_text(&problems, "auth.users_file[1].email: is there twice\n");
}
END_TEST

START_TEST(a_users_file_that_is_no_array_or_not_there_is_told)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    char list[] = "file", path[] = "/nowhere/users.json";
    struct settings settings = {
        .auth_providers = list, .auth_file_provider_id = list, .auth_users_file = path};
    struct providers *providers;

    assert_err(open_with("file", "{}", &providers, &problems), ERR_CONFIG);
    assert_contains(text_str(&problems), "expected an array");
    assert_err(providers_open(&settings, &providers, &problems), ERR_IO);
    assert_contains(text_str(&problems), path);
}
END_TEST

UNIT_SUITE("provider", a_provider_is_found_in_any_case_if_it_is_open,
           the_right_password_gives_the_account, every_other_credential_is_refused_alike,
           anonymous_needs_no_credential_and_is_always_the_same_user,
           a_list_of_providers_that_is_wrong_is_told, all_mistakes_of_a_users_file_are_told,
           a_user_who_is_there_twice_is_told, a_users_file_that_is_no_array_or_not_there_is_told)
