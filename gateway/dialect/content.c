#include "gateway/dialect/content.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/protocol/close_codes.h"
#include "common/protocol/content.h"

#define NUMBER_DIGITS 18 /* of a block's number: what fits int64_t whatever they are */

/* ---- Refusals ---- */

static void refuse(struct content_frame *f, const char *problem)
{
    f->kind = CONTENT_REFUSED;
    text_clear(&f->problem);
    text_add(&f->problem, problem);
}

static void give_up(struct content_frame *f, int close_code, const char *problem)
{
    refuse(f, problem);
    f->kind = CONTENT_HOPELESS;
    f->close_code = close_code;
}

/* ---- Members ---- */

/* A string that stands there once, as an owned text without NUL; else NULL. */
static char *read_string(const struct content_frame *f, const char *name)
{
    size_t count;
    struct json_span member = json_member(f->whole, name, &count);
    char *value = NULL;

    return count == 1 && !json_string(member, member.size, &value) ? value : NULL;
}

static bool is_notification(const struct operation *o)
{
    return strcmp(o->request_class, "notify") == 0;
}

/* False, with the frame refused, when there is no class that can be asked for in this way. */
static bool read_class(struct content_frame *f, bool notifies)
{
    f->cls = read_string(f, "cls");
    if (f->cls)
        f->operation = content_operation(f->cls, strlen(f->cls));
    if (!f->cls)
        refuse(f, "cls: expected a string");
    else if (!f->operation)
        refuse(f, "cls: unknown");
    else if (is_notification(f->operation) != notifies)
        refuse(f, notifies ? "type: expected \"request\"" : "type: expected \"notify\"");
    else
        return true;
    return false;
}

static void read_data(struct content_frame *f)
{
    size_t count;

    f->data = json_member(f->whole, "data", &count);
    if (count > 1)
        refuse(f, "data: stands there more than once");
}

/* ---- Types ---- */

static void read_request(struct content_frame *f)
{
    f->id = read_string(f, "id");
    if (!f->id || !*f->id) {
        give_up(f, CLOSE_BAD_SHAPE, "id: expected a string");
        return;
    }
    if (!read_class(f, false))
        return;
    if (strlen(f->id) > CONTENT_ID_MAX)
        refuse(f, "id: expected at most 255 bytes");
    else
        read_data(f);
}

static void read_notification(struct content_frame *f)
{
    if (!read_class(f, true))
        return;
    if (json_member(f->whole, "id", NULL).at)
        refuse(f, "id: a notification has none");
    else
        read_data(f);
}

static int64_t read_number(const struct content_frame *f)
{
    char *id = read_string(f, "id");
    const size_t digits = id ? strspn(id, "0123456789") : 0;
    const bool is_number = digits > 0 && digits <= NUMBER_DIGITS && id[digits] == '\0';
    const int64_t number = is_number ? strtoll(id, NULL, 10) : 0;

    free(id);
    return number;
}

static void read_result(struct content_frame *f)
{
    f->kind = CONTENT_ANSWER;
    if (json_string_is(json_member(f->whole, "cls", NULL), "changed"))
        f->number = read_number(f);
}

/* Nothing that the server asks can fail: such an answer settles nothing. */
static void read_error(struct content_frame *f)
{
    f->kind = CONTENT_ANSWER;
}

/* ---- Frames ---- */

static void read_object(struct content_frame *f)
{
    static const struct {
        const char *type;
        void (*read)(struct content_frame *f);
    } types[] = {
        {"request", read_request},
        {"notify", read_notification},
        {"result", read_result},
        {"error", read_error},
    };
    size_t count, i = 0;
    const struct json_span type = json_member(f->whole, "type", &count);

    f->kind = CONTENT_REQUEST;
    while (i < ARRAY_SIZE(types) && !json_string_is(type, types[i].type))
        i++;
    if (count == 1 && i < ARRAY_SIZE(types))
        types[i].read(f);
    else
        give_up(f, CLOSE_BAD_SHAPE,
                "type: expected \"request\", \"notify\", \"result\" or \"error\"");
}

static void read_value(struct json_span value, struct content_frame *f)
{
    f->whole = value;
    if (json_kind(value) == JSON_OBJECT)
        read_object(f);
    else
        give_up(f, CLOSE_BAD_SHAPE, "expected an object");
}

/* A text that breaks a limit: a long number is the request's fault, a deep nesting the socket's. */
static void read_beyond_limits(const char *text, size_t size, const struct json_limits *limits,
                               struct content_frame *f)
{
    const struct json_limits any_number = {limits->depth, SIZE_MAX};
    enum err e = json_check(text, size, &any_number, NULL);

    if (e) {
        give_up(f, e == ERR_RANGE ? CLOSE_BAD_SHAPE : CLOSE_NOT_JSON,
                e == ERR_RANGE ? "nested too deep" : "not JSON");
        return;
    }
    read_value(json_value(text, size), f); /* for the id and the class of the answer */
    if (f->kind == CONTENT_REQUEST)
        refuse(f, "a number is too long");
}

void content_read(const char *text, size_t size, const struct json_limits *limits,
                  struct content_frame *out)
{
    enum err e;

    *out = (struct content_frame){.kind = CONTENT_NOTHING};
    if (size == 1 && *text == '\n')
        return;
    e = json_check(text, size, limits, NULL);
    if (!e)
        read_value(json_value(text, size), out);
    else if (e == ERR_RANGE)
        read_beyond_limits(text, size, limits, out);
    else
        give_up(out, CLOSE_NOT_JSON, e == ERR_UTF8 ? "not UTF-8" : "not JSON");
}

void content_frame_deinit(struct content_frame *f)
{
    free(f->id);
    free(f->cls);
    text_deinit(&f->problem);
}
