#include "agents/sync/content/version.h"

#include <string.h>

#include "agents/sync/content/content.h"
#include "common/base/secret.h"
#include "common/model/model_content.h"

#define IDENTITY_MAX 64 /* bytes; ours are shorter */

/* [identity, number], and nothing else. */
static bool read_pair(struct json_span given, struct version *out)
{
    struct json_walk w = json_walk(given);

    if (json_kind(given) != JSON_ARRAY || json_count(given) != 2 || !json_next(&w))
        return false;
    out->identity = w.value;
    if (!json_next(&w) || !json_is_integer(w.value))
        return false;
    if (json_int64(w.value, &out->number) || out->number < 0)
        out->number = 0;
    return json_kind(out->identity) == JSON_STRING || json_is_integer(out->identity);
}

bool version_read(struct work *work, struct json_span data, struct version *out,
                  enum work_step *step)
{
    struct json_span given = json_member(data, "ver", NULL);

    *out = (struct version){0};
    if (json_kind(given) == JSON_ABSENT || json_kind(given) == JSON_NULL)
        return true;
    out->given = true;
    if (read_pair(given, out))
        return true;
    *step = content_expected(work, "data.ver", "[identity, number] or null", given);
    return false;
}

bool version_is(const struct version *v, const char *identity, int64_t number)
{
    return v->given && v->number == number && json_kind(v->identity) == JSON_STRING &&
           json_string_is(v->identity, identity);
}

void version_add_args(struct redis_call *call, const struct version *v)
{
    _cleanup_(freep) char *identity = NULL;
    bool known = v->given && !json_string(v->identity, IDENTITY_MAX, &identity);

    redis_call_arg(call, known ? identity : "");
    redis_call_arg_i64(call, known ? v->number : 0);
}

void version_add(struct text *out, const char *identity, int64_t number)
{
    text_add_char(out, '[');
    text_add_json_str(out, identity);
    text_add_char(out, ',');
    text_add_i64(out, number);
    text_add_char(out, ']');
}

void version_add_suffix(struct text *out, const struct model_class *c)
{
    _cleanup_(text_deinitp) struct text shape = {0};
    char hash[SECRET_HASH_CHARS + 1];

    text_add(&shape, c->name);
    for (size_t i = 0; i < c->field_count; i++) {
        const struct model_field *field = &c->fields[i];

        if (model_in_content(c, field))
            text_addf(&shape, "\n%s %s %d", field->name, field->column, (int)field->type);
    }
    secret_hash(text_str(&shape), shape.size, hash);
    text_addf(out, "-%.*s", VERSION_DIGEST_CHARS, hash);
}

void version_add_identity(struct text *out, const struct model_class *c, const char *born)
{
    const size_t birth = strcspn(born, "-");

    text_add_bytes(out, born, birth);
    version_add_suffix(out, c);
    text_add(out, born + birth);
}
