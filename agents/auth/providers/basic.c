#include "agents/auth/providers/basic.h"

#include <string.h>
#include <strings.h>

#include "agents/auth/providers/provider.h"
#include "agents/auth/store/scripts.h"
#include "common/base/secret.h"
#include "common/json/json_scan.h"

/*
 * Users who register themselves (spec 8.4): accounts in Redis, passwords as argon2id. The account's
 * id is the user name. A credential is
 *
 *   {"username": "ada", "password": "...",
 *    "metadata": {"firstName": "Ada", "lastName": "Example", "email": "ada@example.org"}}
 *
 * or "<user name>:<password>", in which only the password may hold colons. A registration needs all
 * of the metadata, a login none; its names are known in any case, and as first_name, last_name.
 */

#define NAME_MAX_BYTES 255 /* of a user name, and of each member of the metadata */

enum part { USERNAME, PASSWORD, FIRST_NAME, LAST_NAME, EMAIL, PART_COUNT };

/* The parts of a credential; empty where one is not there, or not as it must be. */
struct basic {
    struct text part[PART_COUNT];
};

static void basic_deinit(struct basic *basic)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        text_wipe(&basic->part[i]);
}

/* ---- Reading a credential ---- */

static bool has_control_characters(const struct text *text)
{
    for (size_t i = 0; i < text->size; i++) {
        if ((unsigned char)text->at[i] < ' ' || text->at[i] == 0x7f)
            return true;
    }
    return false;
}

static bool is_good(enum part part, const struct text *text)
{
    if (part == PASSWORD)
        return text->size <= SECRET_PASSWORD_BYTES_MAX && !memchr(text_str(text), '\0', text->size);
    return text->size <= NAME_MAX_BYTES && !has_control_characters(text) &&
           !(part == USERNAME && memchr(text_str(text), ':', text->size));
}

static void keep(struct basic *basic, enum part part, const char *at, size_t size)
{
    text_wipe(&basic->part[part]);
    text_add_bytes(&basic->part[part], at, size);
    if (!is_good(part, &basic->part[part]))
        text_wipe(&basic->part[part]);
}

static void read_member(struct basic *basic, enum part part, struct json_span value)
{
    _cleanup_(text_wipep) struct text text = {0};

    text_reserve(&text, value.size); /* else it moves while it grows, and leaves copies behind */
    if (!json_decode(value, &text))
        keep(basic, part, text_str(&text), text.size);
}

/* Is it the name, but for its case and for "_" between its words? */
static bool is_called(struct json_span key, const char *name)
{
    _cleanup_(text_deinitp) struct text given = {0}, plain = {0};

    if (json_decode(key, &given))
        return false;
    for (size_t i = 0; i < given.size; i++) {
        if (given.at[i] != '_')
            text_add_char(&plain, given.at[i]);
    }
    return plain.size == strlen(name) && !strncasecmp(text_str(&plain), name, plain.size);
}

static void read_metadata(struct basic *basic, struct json_span metadata)
{
    static const char *const names[PART_COUNT] = {
        [FIRST_NAME] = "firstName", [LAST_NAME] = "lastName", [EMAIL] = "email"};
    struct json_walk w = json_walk(metadata);

    while (json_next(&w)) {
        for (enum part part = FIRST_NAME; part < PART_COUNT; part++) {
            if (is_called(w.key, names[part]))
                read_member(basic, part, w.value);
        }
    }
}

static void read_json(struct basic *basic, const char *credential)
{
    static const struct json_limits limits = {.depth = 16, .number_chars = 100};
    struct json_span object;

    if (json_check(credential, strlen(credential), &limits, NULL))
        return;
    object = json_value(credential, strlen(credential));
    read_member(basic, USERNAME, json_member(object, "username", NULL));
    read_member(basic, PASSWORD, json_member(object, "password", NULL));
    read_metadata(basic, json_member(object, "metadata", NULL));
}

static void read_plain(struct basic *basic, const char *credential)
{
    const char *colon = strchr(credential, ':');

    if (!colon)
        return;
    keep(basic, USERNAME, credential, (size_t)(colon - credential));
    keep(basic, PASSWORD, colon + 1, strlen(colon + 1));
}

/* False when one of the first `needed` parts is not there. The caller releases *out. */
static bool read_credential(const char *credential, size_t needed, struct basic *out)
{
    size_t there = 0;

    *out = (struct basic){0};
    (*credential == '{' ? read_json : read_plain)(out, credential);
    while (there < needed && out->part[there].size)
        there++;
    return there == needed;
}

bool basic_is_user_name(const char *name)
{
    _cleanup_(text_deinitp) struct text text = {0};

    text_add(&text, name);
    return text.size > 0 && is_good(USERNAME, &text);
}

/* ---- Logging in ---- */

enum { ROW_USERNAME, ROW_HASH, ROW_FIRST_NAME, ROW_LAST_NAME, ROW_EMAIL, ROW_VERIFIED };

static void basic_add_name(const char *credential, struct text *out)
{
    _cleanup_(basic_deinit) struct basic basic;

    if (read_credential(credential, USERNAME + 1, &basic))
        text_add(out, basic.part[USERNAME].at);
}

static enum auth_status basic_look_up(const struct provider *provider, const char *credential,
                                      struct redis_call *call)
{
    _cleanup_(basic_deinit) struct basic basic;

    (void)provider;
    if (!read_credential(credential, PASSWORD + 1, &basic))
        return AUTH_BAD_PASSWORD;
    redis_call_begin(call, &script_look_up);
    redis_call_arg(call, basic.part[USERNAME].at);
    return AUTH_SUCCESS;
}

static enum auth_status basic_verify(const struct provider *provider, const char *credential,
                                     const struct redis_reply *found, struct account *account_out)
{
    const char *hash = redis_count(found) ? redis_str(redis_item(found, ROW_HASH)) : NULL;
    _cleanup_(basic_deinit) struct basic basic;

    (void)provider;
    if (hash)
        *account_out = (struct account){.id = redis_str(redis_item(found, ROW_USERNAME)),
                                        .first_name = redis_str(redis_item(found, ROW_FIRST_NAME)),
                                        .last_name = redis_str(redis_item(found, ROW_LAST_NAME)),
                                        .email = redis_str(redis_item(found, ROW_EMAIL)),
                                        .hash = hash,
                                        .email_verified =
                                            redis_str(redis_item(found, ROW_VERIFIED))[0] == '1'};
    if (!read_credential(credential, PASSWORD + 1, &basic) ||
        !secret_password_verify(hash, basic.part[PASSWORD].at, basic.part[PASSWORD].size))
        return AUTH_BAD_PASSWORD;
    return AUTH_SUCCESS;
}

/* ---- Registering ---- */

void basic_add_user(struct redis_call *call, bool email_verified, const char *roles)
{
    _cleanup_(text_deinitp) struct text id = {0};

    secret_add_uuid(&id);
    redis_call_arg(call, email_verified ? "1" : "0");
    redis_call_arg(call, text_str(&id));
    redis_call_arg(call, roles);
}

/* The password leaves the process only as its hash. */
static enum auth_status basic_enroll(const struct provider *provider, const char *credential,
                                     struct redis_call *call)
{
    _cleanup_(basic_deinit) struct basic basic;
    _cleanup_(text_deinitp) struct text hash = {0};

    (void)provider;
    if (!read_credential(credential, PART_COUNT, &basic) ||
        secret_password_hash(basic.part[PASSWORD].at, basic.part[PASSWORD].size, &hash))
        return AUTH_FAILURE;
    redis_call_begin(call, &script_register);
    redis_call_arg(call, "0"); /* nobody is a user's child, */
    redis_call_arg(call, "0"); /* and no value, */
    redis_call_arg(call, "0"); /* nor any right, depends on a new user's roles */
    redis_call_arg(call, basic.part[USERNAME].at);
    redis_call_arg(call, hash.at);
    for (enum part part = FIRST_NAME; part < PART_COUNT; part++)
        redis_call_arg(call, basic.part[part].at);
    basic_add_user(call, false, "");
    return AUTH_SUCCESS;
}

static const char *basic_id(const struct settings *settings)
{
    (void)settings;
    return BASIC_ID;
}

const struct provider_kind provider_basic = {
    .name = "basic",
    .needs_credential = true,
    .refusal = AUTH_BAD_PASSWORD,
    .id = basic_id,
    .add_name = basic_add_name,
    .look_up = basic_look_up,
    .verify = basic_verify,
    .enroll = basic_enroll,
};
