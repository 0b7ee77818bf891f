#include <string.h>

#include "common/model/model_content.h"
#include "common/model/model_internal.h"

/* Keys of the content protocol. */

void model_add_key(struct text *out, const struct model_class *c, const char *id)
{
    text_add(out, "{\"type\":");
    text_add_json_str(out, c->type);
    text_add(out, ",\"id\":");
    if (c->id == ID_STRING)
        text_add_json_str(out, id);
    else
        text_add(out, id); /* it is the JSON text */
    text_add_char(out, '}');
}

/* ---- Of what kind is an id? ---- */

static bool is_array(struct json_span value)
{
    struct json_walk w = json_walk(value);
    bool legal = json_kind(value) == JSON_ARRAY && json_count(value) > 0;

    while (legal && json_next(&w))
        legal = json_kind(w.value) == JSON_STRING || json_is_integer(w.value);
    return legal;
}

static bool is_legal(struct json_span value)
{
    return json_kind(value) == JSON_STRING || json_is_integer(value) || is_array(value);
}

/* As the store has it. False: no object of the class can have it. */
static bool spell(const struct model_class *c, struct json_span value, struct text *out)
{
    static const enum json_kind kinds[] = {
        [ID_STRING] = JSON_STRING, [ID_INTEGER] = JSON_NUMBER, [ID_ARRAY] = JSON_ARRAY};
    const char *why;
    int64_t number;

    if (json_kind(value) != kinds[c->id])
        return false;
    if (c->id == ID_INTEGER) {
        if (json_int64(value, &number))
            return false;
        text_add_i64(out, number); /* so that -0 is 0 */
    } else if (c->id == ID_STRING) {
        if (json_decode(value, out) || strlen(text_str(out)) != out->size)
            return false;
    } else {
        model_spell_array(value, out);
    }
    return model_check_id(c, text_str(out), &why) == ERR_OK;
}

/* ---- Whole keys ---- */

static enum err malformed(struct text *problem, const char *what)
{
    text_add(problem, what);
    return ERR_MALFORMED;
}

static enum err check_members(struct json_span key, struct text *problem)
{
    struct json_walk w = json_walk(key);
    size_t types = 0, ids = 0;

    if (json_kind(key) != JSON_OBJECT) {
        (void)model_wrong_kind(problem, "an object", key);
        return ERR_MALFORMED;
    }
    while (json_next(&w)) {
        const bool is_type = json_string_is(w.key, "type"), is_id = json_string_is(w.key, "id");

        types += is_type;
        ids += is_id;
        if (!is_type && !is_id)
            return malformed(problem, ": a key has the members type and id only");
    }
    if (types > 1 || ids > 1)
        return malformed(problem,
                         types > 1 ? ".type: stands there twice" : ".id: stands there twice");
    return ERR_OK;
}

static enum err read_id(const struct model_class *c, struct json_span value, char **out,
                        struct text *problem)
{
    _cleanup_(text_deinitp) struct text id = {0};

    if (!spell(c, value, &id)) {
        text_addf(problem, ".id: no object of type %s has such an id", c->type);
        return ERR_NOT_FOUND;
    }
    *out = text_steal(&id);
    return ERR_OK;
}

enum err model_read_new_key(const struct model *model, struct json_span key,
                            const struct model_class **class_out, char **id_out,
                            struct text *problem)
{
    const struct json_span type = json_member(key, "type", NULL), id = json_member(key, "id", NULL);
    _cleanup_(text_deinitp) struct text name = {0};
    enum err e = check_members(key, problem);

    *id_out = NULL;
    if (e)
        return e;
    if (json_decode(type, &name))
        return malformed(problem, ".type: expected a string");
    if (id.at && !is_legal(id))
        return malformed(problem, ".id: expected an integer, a string, or an array of these");
    *class_out = model_class_by_type(model, text_str(&name));
    if (!*class_out || strlen(text_str(&name)) != name.size) {
        text_add(problem, ".type: no such type");
        return ERR_NOT_FOUND;
    }
    return id.at ? read_id(*class_out, id, id_out, problem) : ERR_OK;
}

enum err model_read_key(const struct model *model, struct json_span key,
                        const struct model_class **class_out, char **id_out, struct text *problem)
{
    *id_out = NULL;
    if (json_kind(key) == JSON_OBJECT && !json_member(key, "id", NULL).at)
        return malformed(problem, ".id: missing");
    return model_read_new_key(model, key, class_out, id_out, problem);
}
