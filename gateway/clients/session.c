#include "gateway/clients/session.h"

#include <stdlib.h>
#include <string.h>

/* A session's texts are ours, but a signed session comes from outside: bound them anyway. */
#define SESSION_DEPTH    4
#define SESSION_TEXT_MAX 1024
#define SESSION_NUMBERS  20
#define SIGNED_MAX       16384

void session_init(struct session *s)
{
    *s = (struct session){0};
    secret_random_id(s->client_id);
}

void session_deinit(struct session *s)
{
    free(s->user_id);
    free(s->token);
    free(s->device_id);
    free(s->existing_id);
    free(s->existing_ids);
    *s = (struct session){0};
}

static char *copy(const char *text)
{
    char *mine = text ? strdup(text) : NULL;

    if (text && !mine)
        err_out_of_memory();
    return mine;
}

/* `token` is a hash already. */
static void log_in(struct session *s, const char *user_id, const char *token, const char *device_id)
{
    const struct session before = *s;

    s->user_id = copy(user_id);
    s->token = copy(token);
    s->device_id = copy(device_id);
    free(before.user_id);
    free(before.token);
    free(before.device_id);
}

/* Whoever reads the hash somewhere cannot come in with it: what is said to be a token is hashed. */
void session_login(struct session *s, const char *user_id, const char *token, const char *device_id)
{
    char hashed[sizeof(SECRET_HASHED) + SECRET_HASH_CHARS] = SECRET_HASHED;

    if (token)
        secret_hash(token, strlen(token), hashed + strlen(SECRET_HASHED));
    log_in(s, user_id, token ? hashed : NULL, device_id);
}

void session_set_user(struct session *s, const char *user_id)
{
    free(s->user_id);
    s->user_id = copy(user_id);
}

/* Both are taken over. */
static void set_existing(struct session *s, char *id, char *ids)
{
    free(s->existing_id);
    free(s->existing_ids);
    s->existing_id = id;
    s->existing_ids = ids;
}

/* ---- Earlier names ---- */

bool session_is_client_id(struct json_span string)
{
    return json_kind(string) == JSON_STRING && string.size == SECRET_ID_CHARS + 2 &&
           strspn(string.at + 1, "0123456789abcdef") == SECRET_ID_CHARS;
}

static void add_id(struct text *ids, const char *id)
{
    if (ids->size > 0)
        ids->at[ids->size - 1] = ','; /* where the bracket was */
    else
        text_add_char(ids, '[');
    text_addf(ids, "\"%.*s\"]", SECRET_ID_CHARS, id);
}

static enum err add_newest(struct json_span array, size_t max, struct text *ids)
{
    const size_t count = json_count(array);
    struct json_walk w = json_walk(array);

    if (json_kind(array) != JSON_ARRAY)
        return ERR_TYPE;
    for (size_t i = 0; json_next(&w); i++) {
        if (json_kind(w.value) != JSON_STRING)
            return ERR_TYPE;
        if (i + max >= count && session_is_client_id(w.value))
            add_id(ids, w.value.at + 1);
    }
    return ERR_OK;
}

enum err session_read_ids(struct json_span array, char **out)
{
    _cleanup_(text_deinitp) struct text ids = {0};
    enum err e = add_newest(array, SESSION_EXISTING_MAX, &ids);

    if (!e)
        *out = ids.size > 0 ? text_steal(&ids) : NULL;
    return e;
}

static bool ends_with_id(const char *ids, const char *id)
{
    const size_t size = strlen(ids), tail = SECRET_ID_CHARS + 2;

    return size > tail && memcmp(ids + size - tail, id, SECRET_ID_CHARS) == 0;
}

/* A session may come back on the very socket on which it could not be bound before. */
void session_return(struct session *s, const struct session *earlier)
{
    struct text ids = {0};
    const char *before = earlier->existing_ids;

    log_in(s, earlier->user_id, earlier->token, earlier->device_id);
    if (strcmp(s->client_id, earlier->client_id) == 0) {
        set_existing(s, copy(earlier->existing_id), copy(before));
        return;
    }
    if (before && ends_with_id(before, earlier->client_id))
        text_add(&ids, before);
    else if (before && add_newest(json_span_of(before), SESSION_EXISTING_MAX - 1, &ids))
        text_clear(&ids); /* cannot be: it is ours */
    if (!before || !ends_with_id(before, earlier->client_id))
        add_id(&ids, earlier->client_id);
    set_existing(s, copy(earlier->client_id), text_steal(&ids));
}

void session_logout(struct session *s)
{
    free(s->user_id);
    free(s->token);
    s->user_id = NULL;
    s->token = NULL;
    set_existing(s, NULL, NULL);
}

bool session_is_logged_in(const struct session *s)
{
    return s->user_id && *s->user_id;
}

static void add_member(struct text *out, const char *name, const char *value)
{
    if (!value)
        return;
    text_add_char(out, ',');
    text_add_json_str(out, name);
    text_add_char(out, ':');
    text_add_json_str(out, value);
}

void session_sign(const struct session *s, const struct session_keys *keys, int64_t now_ms,
                  struct text *out)
{
    _cleanup_(text_wipep) struct text json = {0};
    uint8_t mac[SECRET_MAC_BYTES];
    size_t start = out->size;

    text_add(&json, "{\"savedAt\":");
    text_add_i64(&json, now_ms);
    add_member(&json, "clientId", s->client_id);
    add_member(&json, "existingClientId", s->existing_id);
    if (s->existing_ids)
        text_addf(&json, ",\"existingClientIds\":%s", s->existing_ids);
    add_member(&json, "deviceId", s->device_id);
    add_member(&json, "token", s->token);
    add_member(&json, "userId", s->user_id);
    text_add_char(&json, '}');

    secret_add_base64(out, json.at, json.size);
    secret_mac(keys->current, out->at + start, out->size - start, mac);
    text_add_char(out, ';');
    secret_add_base64(out, mac, sizeof(mac));
}

static bool is_signed_with(const char *key, const char *text, size_t size, const struct text *mac)
{
    uint8_t expected[SECRET_MAC_BYTES];

    if (!key || !*key)
        return false;
    secret_mac(key, text, size, expected);
    return secret_equal(expected, mac->at, sizeof(expected));
}

static enum err check_signature(const char *text, size_t size, const char *signature,
                                size_t signature_size, const struct session_keys *keys)
{
    _cleanup_(text_deinitp) struct text mac = {0};

    if (secret_from_base64(signature, signature_size, &mac) || mac.size != SECRET_MAC_BYTES)
        return ERR_MALFORMED;
    if (!is_signed_with(keys->current, text, size, &mac) &&
        !is_signed_with(keys->previous, text, size, &mac))
        return ERR_REFUSED;
    return ERR_OK;
}

/* A member that may be absent or null. */
static enum err read_text(struct json_span object, const char *name, char **out)
{
    struct json_span value = json_member(object, name, NULL);
    enum json_kind kind = json_kind(value);

    if (kind == JSON_ABSENT || kind == JSON_NULL)
        return ERR_OK;
    return json_string(value, SESSION_TEXT_MAX, out) ? ERR_MALFORMED : ERR_OK;
}

static enum err read_client_id(struct json_span object, char out[SECRET_ID_CHARS + 1])
{
    char *id = NULL;
    enum err e = read_text(object, "clientId", &id);

    if (!e && (!id || strlen(id) != SECRET_ID_CHARS))
        e = ERR_MALFORMED;
    if (!e)
        memcpy(out, id, SECRET_ID_CHARS + 1);
    free(id);
    return e;
}

static enum err read_existing(struct json_span object, struct session *out)
{
    const struct json_span ids = json_member(object, "existingClientIds", NULL);
    const enum json_kind kind = json_kind(ids);

    if (kind != JSON_ABSENT && kind != JSON_NULL && session_read_ids(ids, &out->existing_ids))
        return ERR_MALFORMED;
    return read_text(object, "existingClientId", &out->existing_id);
}

static enum err read_session(struct json_span object, int64_t max_age_ms, int64_t now_ms,
                             struct session *out)
{
    int64_t saved_ms;
    enum err e;

    if (json_int64(json_member(object, "savedAt", NULL), &saved_ms) ||
        read_client_id(object, out->client_id))
        return ERR_MALFORMED;
    if (saved_ms <= now_ms - max_age_ms)
        return ERR_TIMEOUT;
    e = read_text(object, "userId", &out->user_id);
    if (!e)
        e = read_text(object, "token", &out->token);
    if (!e)
        e = read_text(object, "deviceId", &out->device_id);
    if (!e)
        e = read_existing(object, out);
    return e;
}

enum err session_verify(const char *text, size_t size, const struct session_keys *keys,
                        int64_t now_ms, struct session *out)
{
    const struct json_limits limits = {SESSION_DEPTH, SESSION_NUMBERS};
    const char *semicolon = memchr(text, ';', size);
    _cleanup_(text_wipep) struct text json = {0};
    _cleanup_(session_deinitp) struct session found = {0};
    size_t signed_size = semicolon ? (size_t)(semicolon - text) : 0;
    enum err e;

    if (!semicolon || size > SIGNED_MAX)
        return ERR_MALFORMED;
    e = check_signature(text, signed_size, semicolon + 1, size - signed_size - 1, keys);
    if (e)
        return e;
    if (secret_from_base64(text, signed_size, &json) ||
        json_check(text_str(&json), json.size, &limits, NULL))
        return ERR_MALFORMED;
    e = read_session(json_value(json.at, json.size), keys->max_age_ms, now_ms, &found);
    if (e)
        return e;
    *out = found;
    found = (struct session){0};
    return ERR_OK;
}
