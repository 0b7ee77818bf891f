#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "agents/auth/providers/provider.h"
#include "common/base/plain_name.h"
#include "common/base/secret.h"
#include "common/json/json_get.h"

/*
 * Users in a file, for development and small deployments (spec 8.4): a JSON array of
 *
 *   {"firstName": "Ada", "lastName": "Example", "email": "ada@example.org", "passHash":
 * "$argon2id$..."}
 *
 * and, if the user has any, "roles": ["editor", ...], which rules of the model and processes name.
 * Read at the start and on SIGHUP; what has changed counts from the user's next login.
 * The account's id is the email; a credential is "<email>:<password>" with exactly one colon.
 */

#define SETTING "auth.users_file"

struct user {
    struct account account;
    const char *hash;
    struct text roles; /* account.roles */
};

struct users {
    struct json_object *file; /* owns all strings */
    struct user *at;
    size_t count;
};

static const char *file_id(const struct settings *settings)
{
    return settings->auth_file_provider_id;
}

static const struct user *find(const struct users *users, const char *email, size_t size)
{
    for (size_t i = 0; i < users->count; i++) {
        const char *id = users->at[i].account.id;

        if (strlen(id) == size && !memcmp(id, email, size))
            return &users->at[i];
    }
    return NULL;
}

/* ---- Reading: every mistake is told ---- */

static void check_user(const struct users *users, const struct user *user, const char *path,
                       struct text *problems)
{
    const char *email = user->account.id;

    if (!*email || strchr(email, ':'))
        text_addf(problems, "%s.email: expected a text without colon\n", path);
    if (find(users, email, strlen(email)))
        text_addf(problems, "%s.email: is there twice\n", path);
    if (!secret_password_is_current(user->hash))
        text_addf(problems, "%s.passHash: expected what \"activestack-ctl hash-password\" prints\n",
                  path);
}

static bool is_role(struct json_object *value)
{
    const char *name = json_object_get_string(value);

    return json_object_is_type(value, json_type_string) &&
           strlen(name) == (size_t)json_object_get_string_len(value) && is_plain_name(name);
}

static void read_roles(struct json_object *object, const char *path, struct text *roles,
                       struct text *problems)
{
    struct json_object *names;

    if (json_get_array(object, path, "roles", false, &names, problems))
        return; /* none, or told */
    for (size_t i = 0; i < json_object_array_length(names); i++) {
        struct json_object *name = json_object_array_get_idx(names, i);

        if (is_role(name))
            text_addf(roles, "%s%s,", i ? "" : ",", json_object_get_string(name));
        else
            text_addf(problems, "%s.roles[%zu]: " PLAIN_NAME_EXPECTED "\n", path, i);
    }
}

/* The file's user number `i`; a good one is added to `users`. */
static enum err read_user(struct json_object *object, size_t i, struct users *users,
                          struct text *problems)
{
    static const char *const members[] = {"firstName", "lastName", "email",
                                          "passHash",  "roles",    NULL};
    const char *values[4];
    const size_t before = problems->size;
    struct user user;
    char path[64];

    snprintf(path, sizeof(path), SETTING "[%zu]", i);
    if (!json_object_is_type(object, json_type_object)) {
        text_addf(problems, "%s: expected an object\n", path);
        return ERR_CONFIG;
    }
    json_get_only(object, path, members, problems);
    for (size_t m = 0; m < ARRAY_SIZE(values); m++)
        if (json_get_string(object, path, members[m], true, &values[m], problems))
            values[m] = NULL; /* told */
    if (problems->size > before)
        return ERR_CONFIG;
    user = (struct user){{.id = values[2],
                          .first_name = values[0],
                          .last_name = values[1],
                          .email = values[2],
                          .email_verified = true}, /* by whoever has written it there */
                         .hash = values[3]};
    read_roles(object, path, &user.roles, problems);
    check_user(users, &user, path, problems);
    if (problems->size > before) {
        text_deinit(&user.roles);
        return ERR_CONFIG;
    }
    if (user.roles.size)
        user.account.roles = user.roles.at;
    users->at[users->count++] = user;
    return ERR_OK;
}

static enum err read_users(struct users *users, struct text *problems)
{
    const size_t count = json_object_array_length(users->file);
    enum err first = ERR_OK;

    users->at = calloc(count + 1, sizeof(*users->at));
    if (!users->at)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        enum err e = read_user(json_object_array_get_idx(users->file, i), i, users, problems);

        first = first ? first : e;
    }
    return first;
}

static enum err file_open(struct provider *provider, const struct settings *settings,
                          struct text *problems)
{
    struct users *users = calloc(1, sizeof(*users));
    enum err e;

    if (!users)
        return ERR_NOMEM;
    provider->own = users;
    if (!*settings->auth_users_file) {
        text_add(problems, SETTING ": is needed by the provider \"file\"\n");
        return ERR_CONFIG;
    }
    e = json_get_file(settings->auth_users_file, &users->file, problems);
    if (e)
        return e;
    if (!json_object_is_type(users->file, json_type_array)) {
        text_add(problems, SETTING ": expected an array of users\n");
        return ERR_CONFIG;
    }
    return read_users(users, problems);
}

static void file_close(struct provider *provider)
{
    struct users *users = provider->own;

    if (!users)
        return;
    for (size_t i = 0; i < users->count; i++)
        text_deinit(&users->at[i].roles);
    json_object_put(users->file);
    free(users->at);
    free(users);
}

/* ---- Verifying ---- */

static void file_add_name(const char *credential, struct text *out)
{
    const char *colon = strchr(credential, ':');

    if (colon)
        text_add_bytes(out, credential, (size_t)(colon - credential));
}

static enum auth_status file_verify(const struct provider *provider, const char *credential,
                                    const struct redis_reply *found, struct account *account_out)
{
    const char *colon = strchr(credential, ':');
    const struct user *user;

    (void)found;
    if (!colon || strchr(colon + 1, ':'))
        return AUTH_FORBIDDEN;
    user = find(provider->own, credential, (size_t)(colon - credential));
    if (user)
        *account_out = user->account;
    if (!secret_password_verify(user ? user->hash : NULL, colon + 1, strlen(colon + 1)) || !user)
        return AUTH_FORBIDDEN;
    return AUTH_SUCCESS;
}

const struct provider_kind provider_file = {
    .name = "file",
    .needs_credential = true,
    .refusal = AUTH_FORBIDDEN,
    .id = file_id,
    .open = file_open,
    .add_name = file_add_name,
    .verify = file_verify,
    .close = file_close,
};
