#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/auth/providers/provider.h"
#include "common/base/secret.h"
#include "tests/support/fake_reply.h"
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
    _cleanup_(providers_unrefp) struct providers *providers = opened("file");

    ck_assert_ptr_nonnull(providers_find(providers, "FILE"));
    ck_assert_str_eq(providers_find(providers, "file")->id, "file");
    ck_assert_ptr_null(providers_find(providers, "anonymous"));
    ck_assert_ptr_null(providers_find(providers, "fil"));
    ck_assert_ptr_null(providers_find(providers, ""));
}
END_TEST

START_TEST(the_right_password_gives_the_account)
{
    _cleanup_(providers_unrefp) struct providers *providers = opened("anonymous, file");
    const struct provider *file = providers_find(providers, "file");
    struct account account;

    ck_assert_int_eq(file->kind->verify(file, "ada@example.org:" PASSWORD, NULL, &account),
                     AUTH_SUCCESS);
    ck_assert_str_eq(account.id, "ada@example.org");
    ck_assert_str_eq(account.first_name, "Ada");
    ck_assert_str_eq(account.last_name, "Example");
    ck_assert_str_eq(account.email, "ada@example.org");
    ck_assert_ptr_null(account.roles);
}
END_TEST

static void add_roles(struct text *out, const char *roles)
{
    add_users(out);
    out->size -= strlen("}]");
    text_addf(out, ",\"roles\":%s}]", roles);
}

START_TEST(a_user_has_the_roles_of_the_file)
{
    static const char *const rows[][2] = {
        {"[]", NULL}, {"[\"editor\"]", ",editor,"}, {"[\"a.b\",\"c-d_1\"]", ",a.b,c-d_1,"}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text users = {0}, problems = {0};
        _cleanup_(providers_unrefp) struct providers *providers = NULL;
        const struct provider *file;
        struct account account;

        add_roles(&users, rows[i][0]);
        assert_ok(open_with("file", text_str(&users), &providers, &problems));
        file = providers_find(providers, "file");
        ck_assert_int_eq(file->kind->verify(file, "ada@example.org:" PASSWORD, NULL, &account),
                         AUTH_SUCCESS);
        if (rows[i][1])
            ck_assert_str_eq(account.roles, rows[i][1]);
        else
            ck_assert_ptr_null(account.roles);
    }
}
END_TEST

START_TEST(roles_that_are_none_are_told)
{
    static const char *const rows[][2] = {
        {"\"editor\"", "auth.users_file[0].roles: expected an array, found a string\n"},
        {"[\"editor\",7]", "auth.users_file[0].roles[1]: expected 1 to 100 letters"},
        {"[\"\"]", "auth.users_file[0].roles[0]: expected 1 to 100 letters"},
        {"[\"a,b\"]", "auth.users_file[0].roles[0]: expected 1 to 100 letters"},
        {"[\"editor\\u0000x\"]", "auth.users_file[0].roles[0]: expected 1 to 100 letters"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text users = {0}, problems = {0};
        struct providers *providers;

        add_roles(&users, rows[i][0]);
        assert_err(open_with("file", text_str(&users), &providers, &problems), ERR_CONFIG);
        assert_contains(text_str(&problems), rows[i][1]);
    }
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
        (":" PASSWORD),
        "ada@example.org:" PASSWORD ":",
        "ada@example.org::" PASSWORD,
        "ada@example.org:" PASSWORD " ",
    };
    _cleanup_(providers_unrefp) struct providers *providers = opened("file");
    const struct provider *file = providers_find(providers, "file");
    struct account account;

    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++)
        ck_assert_int_eq(file->kind->verify(file, credentials[i], NULL, &account), AUTH_FORBIDDEN);
}
END_TEST

START_TEST(anonymous_needs_no_credential_and_is_always_the_same_user)
{
    _cleanup_(providers_unrefp) struct providers *providers = opened("anonymous");
    const struct provider *anonymous = providers_find(providers, "Anonymous");
    struct account account;

    ck_assert(!anonymous->kind->needs_credential);
    ck_assert_int_eq(anonymous->kind->verify(anonymous, NULL, NULL, &account), AUTH_SUCCESS);
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

/* ---- basic: accounts in Redis, so a test makes up what is found there ---- */

#define IN_JSON "{\"username\":\"ada\",\"password\":\"" PASSWORD "\"}"
#define WITH(metadata) \
    "{\"password\":\"" PASSWORD "\",\"username\":\"ada\",\"metadata\":" metadata "}"

static struct redis_call call;

/* The call's arguments, each with a "|" behind it. */
static void add_args(struct text *out)
{
    for (size_t i = 0, start = 0; i < call.count; start = call.ends[i++]) {
        text_add_bytes(out, call.args.at + start, call.ends[i] - start);
        text_add_char(out, '|');
    }
}

/* Logs in with what look_up.lua would return for Ada. */
static enum auth_status log_in_as_ada(const char *credential, struct account *account_out)
{
    _cleanup_(providers_unrefp) struct providers *providers = opened("basic");
    const struct provider *basic = providers_find(providers, "activestack:BASIC");
    _cleanup_(text_deinitp) struct text hash = {0};
    enum auth_status status = basic->kind->look_up(basic, credential, &call);

    if (status != AUTH_SUCCESS)
        return status;
    assert_ok(secret_password_hash(PASSWORD, strlen(PASSWORD), &hash));
    fake_reply_strings(&call, (const char *const[]){"ada", hash.at, "Ada", "E", "a@b.c", NULL});
    return basic->kind->verify(basic, credential, call.reply, account_out);
}

START_TEST(a_basic_credential_has_two_forms)
{
    static const char *const credentials[] = {"ada:" PASSWORD, IN_JSON, WITH("null"), WITH("{}")};
    struct account account;

    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++) {
        ck_assert_int_eq(log_in_as_ada(credentials[i], &account), AUTH_SUCCESS);
        ck_assert_str_eq(account.id, "ada");
        ck_assert_str_eq(account.first_name, "Ada");
        ck_assert_str_eq(account.email, "a@b.c");
    }
    redis_call_deinit(&call);
}
END_TEST

START_TEST(every_other_basic_credential_is_refused_alike)
{
    static const char *const credentials[] = {"",
                                              "ada",
                                              ":",
                                              "ada:",
                                              (":" PASSWORD),
                                              "ada:wrong",
                                              ("ada:" PASSWORD ":"),
                                              "{",
                                              "{}",
                                              "{}:x",
                                              "{\"username\":\"ada\"}",
                                              "{\"username\":\"ada\",\"password\":7}",
                                              "{\"username\":\"a:b\",\"password\":\"x\"}",
                                              "{\"username\":\"ada\",\"password\":\"\"}",
                                              "{\"username\":\"a\\u0007\",\"password\":\"x\"}",
                                              "[\"ada\",\"x\"]"};
    struct account account;

    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++)
        ck_assert_msg(log_in_as_ada(credentials[i], &account) == AUTH_BAD_PASSWORD, "%s",
                      credentials[i]);
    redis_call_deinit(&call);
}
END_TEST

START_TEST(a_user_name_that_nobody_has_is_refused_as_a_wrong_password_is)
{
    _cleanup_(providers_unrefp) struct providers *providers = opened("basic");
    const struct provider *basic = providers_find(providers, "activestack:basic");
    struct account account;

    ck_assert_int_eq(basic->kind->look_up(basic, IN_JSON, &call), AUTH_SUCCESS);
    fake_reply(&call, "*0\r\n");
    ck_assert_int_eq(basic->kind->verify(basic, IN_JSON, call.reply, &account), AUTH_BAD_PASSWORD);
    redis_call_deinit(&call);
}
END_TEST

/* What the registration asks Redis for, without the hash; "" when it is refused. */
static void enroll(const char *credential, struct text *out)
{
    _cleanup_(providers_unrefp) struct providers *providers = opened("basic");
    const struct provider *basic = providers_find(providers, "activestack:basic");
    _cleanup_(text_deinitp) struct text args = {0};
    const char *hash;

    if (basic->kind->enroll(basic, credential, &call) != AUTH_SUCCESS)
        return;
    add_args(&args);
    ck_assert_ptr_null(strstr(text_str(&args), PASSWORD));
    hash = strstr(text_str(&args), "$argon2id$");
    ck_assert_ptr_nonnull(hash);
    text_add_bytes(out, text_str(&args), (size_t)(hash - text_str(&args)));
    text_add(out, strchr(hash, '|') + 1);
    redis_call_deinit(&call);
}

/* Behind these arguments come an id and no roles. */
static void assert_new_user(const struct text *args, const char *begins)
{
    const size_t size = strlen(begins);

    ck_assert_uint_eq(args->size, size + strlen("c8b0dab5-60b3-4184-b7af-fb37e205a29f||"));
    ck_assert_int_eq(memcmp(args->at, begins, size), 0);
    ck_assert_str_eq(args->at + args->size - 2, "||");
}

START_TEST(metadata_is_known_in_any_case_and_with_underscores)
{
    static const char *const credentials[] = {
        WITH("{\"firstName\":\"A\",\"lastName\":\"E\",\"email\":\"a@b.c\"}"),
        WITH("{\"EMAIL\":\"a@b.c\",\"FIRST_NAME\":\"A\",\"last_name\":\"E\",\"age\":7}"),
        WITH("{\"firstname\":\"A\",\"Last_Name\":\"E\",\"eMail\":\"a@b.c\"}"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++) {
        _cleanup_(text_deinitp) struct text args = {0};

        enroll(credentials[i], &args);
        assert_new_user(&args, "0|0|0|ada|A|E|a@b.c|0|");
    }
}
END_TEST

START_TEST(a_registration_needs_everything)
{
    static const char *const credentials[] = {
        "ada:" PASSWORD,
        IN_JSON,
        WITH("7"),
        WITH("{\"lastName\":\"E\",\"email\":\"a@b.c\"}"),
        WITH("{\"firstName\":\"\",\"lastName\":\"E\",\"email\":\"a@b.c\"}"),
        WITH("{\"firstName\":\"A\",\"lastName\":null,\"email\":\"a@b.c\"}"),
        WITH("{\"firstName\":\"A\",\"lastName\":\"E\",\"email\":\"a\\n@b.c\"}"),
        "{\"username\":\"ada\",\"metadata\":{\"firstName\":\"A\",\"lastName\":\"E\","
        "\"email\":\"a@b.c\"}}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++) {
        _cleanup_(text_deinitp) struct text args = {0};

        enroll(credentials[i], &args);
        assert_text(&args, "");
    }
}
END_TEST

START_TEST(names_and_passwords_have_their_limits)
{
    static const struct {
        size_t name, password;
        bool good;
    } rows[] = {{255, 1, true}, {256, 1, false}, {1, 1024, true}, {1, 1025, false}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text credential = {0}, args = {0};

        text_add(&credential, "{\"metadata\":{\"firstName\":\"A\",\"lastName\":\"E\","
                              "\"email\":\"a@b.c\"},\"username\":\"");
        for (size_t n = 0; n < rows[i].name; n++)
            text_add_char(&credential, 'n');
        text_add(&credential, "\",\"password\":\"");
        for (size_t n = 0; n < rows[i].password; n++)
            text_add_char(&credential, 'p');
        text_add(&credential, "\"}");
        enroll(credential.at, &args);
        ck_assert_int_eq(args.size > 0, rows[i].good);
    }
}
END_TEST

START_TEST(only_basic_makes_accounts)
{
    _cleanup_(providers_unrefp) struct providers *providers = opened("basic,anonymous,file");

    ck_assert_ptr_nonnull(providers_find(providers, "activestack:basic")->kind->enroll);
    ck_assert_ptr_null(providers_find(providers, "anonymous")->kind->enroll);
    ck_assert_ptr_null(providers_find(providers, "file")->kind->enroll);
}
END_TEST

UNIT_SUITE("provider", a_provider_is_found_in_any_case_if_it_is_open,
           the_right_password_gives_the_account, a_user_has_the_roles_of_the_file,
           roles_that_are_none_are_told, every_other_credential_is_refused_alike,
           anonymous_needs_no_credential_and_is_always_the_same_user,
           a_list_of_providers_that_is_wrong_is_told, all_mistakes_of_a_users_file_are_told,
           a_user_who_is_there_twice_is_told, a_users_file_that_is_no_array_or_not_there_is_told,
           a_basic_credential_has_two_forms, every_other_basic_credential_is_refused_alike,
           a_user_name_that_nobody_has_is_refused_as_a_wrong_password_is,
           metadata_is_known_in_any_case_and_with_underscores, a_registration_needs_everything,
           names_and_passwords_have_their_limits, only_basic_makes_accounts)
