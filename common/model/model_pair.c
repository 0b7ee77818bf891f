#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/model_internal.h"

/* Which object: IDs, and the pairs of class and ID by which clients refer to objects. */

#define ID_MAX_BYTES 512

static enum err check_string_id(const char *id, const char **why)
{
    for (; *id; id++) {
        if ((unsigned char)*id < 0x20 || *id == 0x7f) {
            *why = "an ID holds no control characters";
            return ERR_RANGE;
        }
    }
    return ERR_OK;
}

/* One spelling for each number, or one object would have several names. */
static enum err check_integer_id(const char *id, const char **why)
{
    char spelt[32];
    char *end;
    long long value = strtoll(id, &end, 10);

    snprintf(spelt, sizeof(spelt), "%lld", value);
    if (strcmp(id, spelt) == 0)
        return ERR_OK;
    *why = "expected the decimal text of a 64-bit integer";
    return ERR_TYPE;
}

bool model_spell_array(struct json_span array, struct text *out)
{
    struct json_walk w = json_walk(array);
    size_t count = 0;

    if (json_kind(array) != JSON_ARRAY)
        return false;
    for (; json_next(&w); count++) {
        int64_t number;

        text_add_char(out, count ? ',' : '[');
        if (json_kind(w.value) == JSON_STRING)
            json_add_canonical(out, w.value);
        else if (json_int64(w.value, &number) == ERR_OK)
            text_add_i64(out, number);
        else
            return false;
    }
    text_add_char(out, ']');
    return count > 0;
}

static enum err check_array_id(const char *id, const char **why)
{
    static const struct json_limits limits = {.depth = 1, .number_chars = 20};
    _cleanup_(text_deinitp) struct text spelt = {0};

    *why = "expected the compact JSON text of an array of integers and strings";
    if (json_check(id, strlen(id), &limits, NULL) || !model_spell_array(json_span_of(id), &spelt))
        return ERR_TYPE;
    return text_equals(&spelt, id) ? ERR_OK : ERR_TYPE;
}

enum err model_check_id(const struct model_class *c, const char *id, const char **why)
{
    size_t size = strlen(id);

    if (size == 0 || size > ID_MAX_BYTES) {
        *why = "an ID has 1 to 512 bytes";
        return ERR_RANGE;
    }
    switch (c->id) {
    case ID_INTEGER:
        return check_integer_id(id, why);
    case ID_ARRAY:
        return check_array_id(id, why);
    default:
        return check_string_id(id, why);
    }
}

/* ---- Pairs ---- */

struct pair {
    struct json_span class_name, id, properties;
};

static enum err take_member(struct pair *pair, const struct json_walk *w, struct text *problem)
{
    const struct {
        const char *name;
        struct json_span *to;
    } members[] = {
        {"className", &pair->class_name}, {"ID", &pair->id}, {"properties", &pair->properties}};

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (!json_string_is(w->key, members[i].name))
            continue;
        if (members[i].to->at) {
            text_addf(problem, ".%s: stands there twice", members[i].name);
            return ERR_MALFORMED;
        }
        *members[i].to = w->value;
        return ERR_OK;
    }
    text_add(problem, ": a pair has the members className, ID and properties only");
    return ERR_MALFORMED;
}

static enum err split_pair(struct json_span value, struct pair *pair, struct text *problem)
{
    struct json_walk w;
    enum err e = ERR_OK;

    if (json_kind(value) != JSON_OBJECT)
        return model_wrong_kind(problem, "an object", value);
    w = json_walk(value);
    while (!e && json_next(&w))
        e = take_member(pair, &w, problem);
    return e;
}

enum err model_read_class(const struct model *model, struct json_span name,
                          const struct model_class **out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text decoded = {0};

    if (json_decode(name, &decoded))
        return model_wrong_kind(problem, "a string", name);
    *out = model_class(model, text_str(&decoded), decoded.size);
    if (*out)
        return ERR_OK;
    text_add(problem, ": no such class");
    return ERR_NOT_FOUND;
}

enum err model_read_id(const struct model_class *c, struct json_span value, char **out,
                       struct text *problem)
{
    const char *why = "an ID has 1 to 512 bytes and holds no control characters";
    char *id = NULL;
    enum err e = json_string(value, ID_MAX_BYTES, &id);

    if (e == ERR_TYPE)
        return model_wrong_kind(problem, "a string", value);
    if (!e)
        e = model_check_id(c, id, &why);
    if (!e) {
        *out = id;
        return ERR_OK;
    }
    free(id);
    text_addf(problem, ": %s", why);
    return e;
}

enum err model_read_pair(const struct model *model, struct json_span pair,
                         const struct model_class **class_out, char **id_out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text rest = {0};
    const char *member = "";
    struct pair parts = {0};
    enum err e = split_pair(pair, &parts, &rest);

    if (!e) {
        member = ".className";
        e = model_read_class(model, parts.class_name, class_out, &rest);
    }
    if (!e) {
        member = ".ID";
        e = model_read_id(*class_out, parts.id, id_out, &rest);
    }
    if (e)
        text_addf(problem, "%s%s", member, text_str(&rest));
    return e;
}

void model_add_pair(struct text *out, const char *class_name, const char *id)
{
    text_add(out, "{\"className\":");
    text_add_json_str(out, class_name);
    text_add(out, ",\"ID\":");
    text_add_json_str(out, id);
    text_add_char(out, '}');
}
