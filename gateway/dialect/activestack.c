#include "gateway/dialect/activestack.h"

#include <stdint.h>
#include <string.h>

#include "common/protocol/close_codes.h"

/* The members of the envelope and of the operations (spec 3 and 4.1). Readers of JSON disagree on
 * which of two equal members counts, so none of these may stand there twice. The first ones are
 * those that the gateway reads. */
enum member {
    MEMBER_CN,
    MEMBER_MESSAGE_ID,
    MEMBER_SEND_ACK,
    MEMBER_CLIENT_ID,
    MEMBER_USER_ID,
    MEMBER_TOKEN,
    MEMBER_DEVICE_ID,
    MEMBER_READ, /* behind the last one that is read */
    MEMBER_COUNT = MEMBER_READ + 24
};

static const char *const member_names[MEMBER_COUNT] = {
    // clang-format off
    "cn", "messageId", "sendAck", "clientId", "userId", "token", "deviceId",
    "clientType", "responseChannel", "regAppKey", "svcOauthKey", "authProvider", "credential",
    "theClassName", "theClassId", "theClassIdList", "theObject", "putTimestamp", "transId",
    "removePair", "classIdPairs", "classIdPair", "fieldName", "params", "queryName",
    "queryArguments", "pleaseDestroyClient", "deviceType", "returnObject", "existingClientId",
    "existingClientIds",
    // clang-format on
};

static const enum member identity_members[IDENTITY_COUNT] = {
    [IDENTITY_CLIENT] = MEMBER_CLIENT_ID,
    [IDENTITY_USER] = MEMBER_USER_ID,
    [IDENTITY_TOKEN] = MEMBER_TOKEN,
    [IDENTITY_DEVICE] = MEMBER_DEVICE_ID,
};

/* The members of one object that are in the table above. */
struct members {
    struct json_span value[MEMBER_COUNT];
    struct json_span whole[MEMBER_COUNT]; /* from the key's quote to the end of the value */
};

/* ---- Refusals ---- */

static void refuse(struct frame *f, enum response_code code, const char *problem)
{
    f->kind = FRAME_ERROR;
    f->error = code;
    text_clear(&f->problem);
    text_add(&f->problem, problem);
}

static void refuse_member(struct frame *f, enum member member, const char *expected)
{
    refuse(f, CODE_MALFORMED, member_names[member]);
    text_addf(&f->problem, ": %s", expected);
}

static void refuse_type(struct frame *f, enum member member, struct json_span value)
{
    refuse(f, CODE_MALFORMED, member_names[member]);
    text_addf(&f->problem, ": expected a string, found %s", json_kind_name(json_kind(value)));
}

static void close_with(struct frame *f, int code, const char *reason)
{
    f->kind = FRAME_CLOSE;
    f->close_code = code;
    text_clear(&f->problem);
    text_add(&f->problem, reason);
}

/* ---- Members ---- */

static bool key_is(struct json_span key, bool escaped, const char *name)
{
    const size_t size = key.size - 2; /* without the quotes */

    if (escaped)
        return json_string_is(key, name);
    return strncmp(name, key.at + 1, size) == 0 && name[size] == '\0';
}

/* MEMBER_COUNT when the key is not in the table. */
static enum member find_member(struct json_span key)
{
    const bool escaped = memchr(key.at, '\\', key.size);
    unsigned i = 0;

    while (i < MEMBER_COUNT && !key_is(key, escaped, member_names[i]))
        i++;
    return (enum member)i;
}

/* False, with the frame refused, when a member of the table stands there twice. */
static bool read_members(struct json_span object, struct members *out, struct frame *f)
{
    struct json_walk w = json_walk(object);
    enum member twice = MEMBER_COUNT;

    *out = (struct members){0};
    while (json_next(&w)) {
        enum member m = find_member(w.key);

        if (m == MEMBER_COUNT)
            continue;
        if (out->value[m].at && twice == MEMBER_COUNT)
            twice = m;
        out->value[m] = w.value;
        out->whole[m] =
            (struct json_span){w.key.at, (size_t)(w.value.at - w.key.at) + w.value.size};
    }
    if (twice == MEMBER_COUNT)
        return true;
    refuse_member(f, twice, "stands there more than once");
    return false;
}

static bool is_given(struct json_span value)
{
    return json_kind(value) != JSON_ABSENT && json_kind(value) != JSON_NULL;
}

/* As JavaScript sees it: the original took whatever was truthy. */
static bool is_truthy(struct json_span value)
{
    switch (json_kind(value)) {
    case JSON_ABSENT:
    case JSON_NULL:
        return false;
    case JSON_BOOLEAN:
        return json_is_true(value);
    case JSON_NUMBER:
        return !(value.size == 1 && *value.at == '0');
    case JSON_STRING:
        return value.size > 2;
    default:
        return true;
    }
}

/* False, with the frame refused, when there is a messageId that cannot be echoed. */
static bool read_message_id(struct json_span value, struct frame *f)
{
    _cleanup_(text_deinitp) struct text id = {0};

    if (!is_given(value))
        return true;
    if (json_decode(value, &id)) {
        refuse_type(f, MEMBER_MESSAGE_ID, value);
        return false;
    }
    if (id.size > ACTIVESTACK_MESSAGE_ID_MAX || memchr(text_str(&id), '\0', id.size)) {
        refuse_member(f, MEMBER_MESSAGE_ID, "expected at most 255 bytes without NUL");
        return false;
    }
    memcpy(f->message_id, text_str(&id), id.size + 1);
    f->has_message_id = true;
    return true;
}

/* ---- Requests ---- */

/* Operations that only the gateway publishes, but that clients may ask for by their class. */
static enum frame_kind kind_of_class(struct json_span class_name)
{
    if (json_string_is(class_name, SYNC_CLASS("ConnectRequest")))
        return FRAME_CONNECT;
    if (json_string_is(class_name, SYNC_CLASS("ReconnectRequest")))
        return FRAME_RETURN;
    return FRAME_ERROR;
}

static enum frame_kind kind_of_operation(const struct operation *o)
{
    if (o->origin == ORIGIN_CLIENT)
        return FRAME_REQUEST;
    if (strcmp(o->name, "connect") == 0)
        return FRAME_CONNECT;
    return strcmp(o->name, "reconnect") == 0 ? FRAME_RETURN : FRAME_ERROR;
}

/* The operation of a bare request, by its class. */
static void find_by_class(struct json_span class_name, struct frame *f)
{
    _cleanup_(text_deinitp) struct text name = {0};

    if (json_decode(class_name, &name)) {
        refuse_type(f, MEMBER_CN, class_name);
        return;
    }
    f->operation = operation_by_class(text_str(&name), name.size);
    f->kind = f->operation ? FRAME_REQUEST : kind_of_class(class_name);
    if (f->kind == FRAME_ERROR)
        refuse(f, CODE_NOT_IMPLEMENTED, "cn: unknown request class");
}

/* Its own, or of an alias that of what it stands for. */
static bool is_class_of(struct json_span class_name, const struct operation *o)
{
    const char *served = activestack_served_name(o);

    return json_string_is(class_name, o->request_class) ||
           json_string_is(class_name, operation_by_name(served, strlen(served))->request_class);
}

/* The operation of [event, object]; a class in the object has to be that operation's. */
static void find_by_event(struct json_span event, struct json_span class_name, struct frame *f)
{
    _cleanup_(text_deinitp) struct text name = {0};

    if (!json_decode(event, &name))
        f->operation = operation_by_name(text_str(&name), name.size);
    if (!f->operation || kind_of_operation(f->operation) == FRAME_ERROR) {
        refuse(f, CODE_NOT_IMPLEMENTED, "unknown event, or not for clients to send");
        return;
    }
    f->kind = kind_of_operation(f->operation);
    if (is_given(class_name) && !is_class_of(class_name, f->operation)) {
        refuse_member(f, MEMBER_CN, "expected ");
        text_add(&f->problem, f->operation->request_class);
    }
}

/* A login names its device; what comes after it is of the session's device, whatever it says. */
static void check_device(struct json_span device, struct frame *f)
{
    if (f->kind == FRAME_REQUEST && !f->operation->needs_login && is_given(device) &&
        json_kind(device) != JSON_STRING)
        refuse_type(f, MEMBER_DEVICE_ID, device);
}

/* Takes from the envelope what the gateway needs. `event` is absent in a bare frame. */
static void read_request(struct json_span event, struct frame *f)
{
    struct members m;

    bool unique = read_members(f->object, &m, f);

    if (!read_message_id(m.value[MEMBER_MESSAGE_ID], f) || !unique)
        return;
    f->wants_ack = f->has_message_id && is_truthy(m.value[MEMBER_SEND_ACK]);
    f->device = m.value[MEMBER_DEVICE_ID];
    for (size_t i = 0; i < IDENTITY_COUNT; i++)
        f->cut[i] = m.whole[identity_members[i]];
    if (event.at)
        find_by_event(event, m.value[MEMBER_CN], f);
    else
        find_by_class(m.value[MEMBER_CN], f);
    check_device(m.value[MEMBER_DEVICE_ID], f);
}

/* ---- Frames ---- */

static void read_object(struct json_span event, struct frame *f)
{
    if (event.at || json_member(f->object, "cn", NULL).at)
        read_request(event, f);
    else
        f->kind = FRAME_SPECIAL;
}

static void read_array(struct json_span array, struct frame *f)
{
    struct json_walk w = json_walk(array);
    struct json_span event = {0};

    if (json_count(array) != 2) {
        refuse(f, CODE_MALFORMED, "expected [event, object]");
        return;
    }
    (void)json_next(&w);
    event = w.value;
    (void)json_next(&w);
    if (json_kind(event) != JSON_STRING || json_kind(w.value) != JSON_OBJECT) {
        refuse(f, CODE_MALFORMED, "expected [event, object]");
        return;
    }
    f->object = w.value;
    read_object(json_string_is(event, "message") ? (struct json_span){0} : event, f);
}

static void read_value(struct json_span value, struct frame *f)
{
    switch (json_kind(value)) {
    case JSON_OBJECT:
        f->object = value;
        read_object((struct json_span){0}, f);
        break;
    case JSON_ARRAY:
        read_array(value, f);
        break;
    default:
        close_with(f, CLOSE_BAD_SHAPE, "expected an object or an array");
        break;
    }
}

/* A text that breaks a limit: a long number is the request's fault, a deep nesting the socket's. */
static void read_beyond_limits(const char *text, size_t size, const struct json_limits *limits,
                               struct frame *f)
{
    const struct json_limits any_number = {limits->depth, SIZE_MAX};
    enum err e = json_check(text, size, &any_number, NULL);

    if (e) {
        close_with(f, e == ERR_RANGE ? CLOSE_BAD_SHAPE : CLOSE_NOT_JSON,
                   e == ERR_RANGE ? "nested too deep" : "not JSON");
        return;
    }
    read_value(json_value(text, size), f); /* for the messageId that the answer carries */
    if (f->kind != FRAME_CLOSE)
        refuse(f, CODE_MALFORMED, "a number is too long");
}

void activestack_read(const char *text, size_t size, const struct json_limits *limits,
                      struct frame *out)
{
    enum err e = json_check(text, size, limits, NULL);

    *out = (struct frame){0};
    if (!e)
        read_value(json_value(text, size), out);
    else if (e == ERR_RANGE)
        read_beyond_limits(text, size, limits, out);
    else
        close_with(out, CLOSE_NOT_JSON, e == ERR_UTF8 ? "not UTF-8" : "not JSON");
}

void frame_deinit(struct frame *f)
{
    text_deinit(&f->problem);
}

/* ---- Bodies ---- */

/* Adds the members between two cuts, without the commas that parted them from what is cut. */
static void add_members(struct text *out, const char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n,", *at))
        at++;
    while (end > at && strchr(" \t\r\n,", end[-1]))
        end--;
    if (at == end)
        return;
    if (out->at[out->size - 1] != '{')
        text_add_char(out, ',');
    text_add_bytes(out, at, (size_t)(end - at));
}

static void add_identity(struct text *out, const char *name, const char *value)
{
    if (!value)
        return;
    text_add(out, out->at[out->size - 1] == '{' ? "\"" : ",\"");
    text_add(out, name);
    text_add(out, "\":");
    text_add_json_str(out, value);
}

/* The first member to be cut that starts at or behind `at`; absent when there is none. */
static struct json_span next_cut(const struct frame *f, const char *at)
{
    /* Without a login, only the client id is ours to say. */
    size_t count = f->operation->needs_login ? IDENTITY_COUNT : IDENTITY_CLIENT + 1;
    struct json_span first = {0};

    for (size_t i = 0; i < count; i++)
        if (f->cut[i].at && f->cut[i].at >= at && (!first.at || f->cut[i].at < first.at))
            first = f->cut[i];
    return first;
}

void activestack_add_body(const struct frame *f, const struct session *s, struct text *out)
{
    const char *at = f->object.at + 1, *end = f->object.at + f->object.size - 1;
    struct json_span cut;

    text_add_char(out, '{');
    while ((cut = next_cut(f, at)).at) {
        add_members(out, at, cut.at);
        at = cut.at + cut.size;
    }
    add_members(out, at, end);
    add_identity(out, "clientId", s->client_id);
    if (f->operation->needs_login) {
        add_identity(out, "userId", s->user_id);
        add_identity(out, "deviceId", s->device_id);
    }
    text_add_char(out, '}');
}

const char *activestack_served_name(const struct operation *operation)
{
    return operation->served_by_name ? operation->served_by_name : operation->name;
}

/* ---- Special messages ---- */

bool activestack_next_special(struct json_walk *walk, enum special *out)
{
    static const char *const names[SPECIAL_UNKNOWN] = {
        [SPECIAL_CONNECT] = "connect",
        [SPECIAL_RECONNECT] = "reconnect",
        [SPECIAL_ACK] = "ack",
        [SPECIAL_HIBERNATE] = "hibernate",
    };
    unsigned i = 0;

    if (!json_next(walk))
        return false;
    while (i < SPECIAL_UNKNOWN && !json_string_is(walk->key, names[i]))
        i++;
    *out = (enum special)i;
    return true;
}

void activestack_add_session(struct text *out, const char *signed_session)
{
    text_add(out, "{\"gatewayConnectAck\":");
    text_add_json_str(out, signed_session);
    text_add_char(out, '}');
}

void activestack_add_ack(struct text *out, const char *message_id)
{
    text_add(out, "{\"ack\":");
    text_add_json_str(out, message_id);
    text_add_char(out, '}');
}
