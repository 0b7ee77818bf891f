#include <inttypes.h>

#include "common/model/model_internal.h"

/* What an export tells of an object beside its fields: "@version", "@created", "@user". */

#define STAMP_MAX      (INT64_C(1) << 53) /* versions and times are numbers of Lua */
#define USER_MAX_BYTES 512

static enum err read_stamp(struct json_span value, int64_t *out, struct text *problem)
{
    if (!json_int64(value, out) && *out >= 1 && *out <= STAMP_MAX)
        return ERR_OK;
    text_addf(problem, ": expected an integer from 1 to %" PRId64, STAMP_MAX);
    return ERR_TYPE;
}

static enum err read_version(struct json_span value, struct model_object *out, struct text *problem)
{
    return read_stamp(value, &out->version, problem);
}

static enum err read_created(struct json_span value, struct model_object *out, struct text *problem)
{
    return read_stamp(value, &out->created_ms, problem);
}

/* Scripts put it between quotes. */
static bool is_plain(const char *user)
{
    const char *at = user;

    while ((unsigned char)*at >= 0x20 && *at != 0x7f && *at != '"' && *at != '\\')
        at++;
    return at > user && *at == '\0';
}

static enum err read_user(struct json_span value, struct model_object *out, struct text *problem)
{
    if (!json_string(value, USER_MAX_BYTES, &out->user) && is_plain(out->user))
        return ERR_OK;
    text_add(problem, ": expected the id of a user");
    return ERR_TYPE;
}

static const struct {
    const char *name;
    enum err (*read)(struct json_span value, struct model_object *out, struct text *problem);
} marks[] = {{"@version", read_version}, {"@created", read_created}, {"@user", read_user}};

bool model_is_mark(struct json_span key)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(marks) && !json_string_is(key, marks[i].name))
        i++;
    return i < ARRAY_SIZE(marks);
}

enum err model_read_marks(struct json_span object, struct model_object *out, struct text *problem)
{
    enum err e = ERR_OK;

    for (size_t i = 0; !e && i < ARRAY_SIZE(marks); i++) {
        _cleanup_(text_deinitp) struct text rest = {0};
        size_t count;
        struct json_span value = json_member(object, marks[i].name, &count);

        if (count > 1)
            e = model_twice(&rest);
        else if (count == 1)
            e = marks[i].read(value, out, &rest);
        if (e)
            text_addf(problem, ".%s%s", marks[i].name, rest.at);
    }
    return e;
}
