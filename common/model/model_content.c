#include "common/model/model_content.h"

#include <stdlib.h>

#include "common/model/model_internal.h"

/* ---- What is part of it ---- */

static bool is_relation(const struct model_field *field)
{
    return field->targets != NULL;
}

/* May all that the relation refers to be named by a key? */
static bool has_keys(const struct model_field *field)
{
    for (const struct model_class *const *target = field->targets; *target; target++) {
        for (size_t i = 0; i < (*target)->concrete_count; i++) {
            if (!(*target)->concrete[i]->type)
                return false;
        }
    }
    return true;
}

bool model_in_content(const struct model_class *c, const struct model_field *field)
{
    if (c->children && c->children->relation == field)
        return false;
    if (field->type == FIELD_TO_MANY && !field->listed)
        return false;
    return !is_relation(field) || has_keys(field);
}

/* ---- To clients ---- */

static const struct model_class *referred_class(const struct model_field *field,
                                                struct json_span name)
{
    for (const struct model_class *const *target = field->targets; *target; target++) {
        for (size_t i = 0; i < (*target)->concrete_count; i++) {
            if (json_string_is(name, (*target)->concrete[i]->name))
                return (*target)->concrete[i];
        }
    }
    return NULL;
}

/* False, and nothing is added: the model does not know such objects. */
static bool add_reference(struct text *out, const struct model_field *field, struct json_span pair)
{
    const struct model_class *c = referred_class(field, json_member(pair, "className", NULL));
    _cleanup_(text_deinitp) struct text id = {0};

    if (!c || !c->type || json_decode(json_member(pair, "ID", NULL), &id))
        return false;
    text_add(out, "{\"key\":");
    model_add_key(out, c, text_str(&id));
    text_add_char(out, '}');
    return true;
}

static void add_references(struct text *out, const struct model_field *field,
                           struct json_span pairs)
{
    struct json_walk w = json_walk(pairs);
    bool behind = false;

    text_add_char(out, '[');
    while (json_next(&w)) {
        const size_t before = out->size;

        if (behind)
            text_add_char(out, ',');
        if (add_reference(out, field, w.value))
            behind = true;
        else
            text_cut(out, before);
    }
    text_add_char(out, ']');
}

void model_add_content_value(struct text *out, const struct model_field *field, const char *stored)
{
    const struct json_span text = json_span_of(model_said(field, stored));

    if (!is_relation(field))
        text_add_bytes(out, text.at, text.size);
    else if (field->type != FIELD_TO_ONE)
        add_references(out, field, text);
    else if (!add_reference(out, field, text))
        text_add(out, "null");
}

void model_add_content(struct text *out, const struct model_class *c, model_value_fn *value,
                       const void *arg)
{
    const char *before = "";

    text_add_char(out, '{');
    for (size_t i = 0; i < c->field_count; i++) {
        const struct model_field *field = &c->fields[i];
        const char *text = model_in_content(c, field) ? value(arg, field) : MODEL_HIDDEN;

        if (model_is_hidden(text))
            continue;
        text_add(out, before);
        text_add_json_str(out, field->name);
        text_add_char(out, ':');
        model_add_content_value(out, field, text);
        before = ",";
    }
    text_add_char(out, '}');
}

/* ---- From clients ---- */

/* A summary, or {"key":...}: adds the pair. */
static enum err read_reference(const struct model *model, const struct model_field *field,
                               struct json_span value, struct text *out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text rest = {0};
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c = NULL;
    size_t count;
    const struct json_span key = json_member(value, "key", &count);

    if (json_kind(value) != JSON_OBJECT)
        return model_wrong_kind(problem, "an object", value);
    if (count > 1) {
        text_add(problem, ".key");
        return model_twice(problem);
    }
    if (model_read_key(model, key, &c, &id, &rest)) {
        text_addf(problem, ".key%s", rest.at);
        return ERR_TYPE;
    }
    if (!model_may_refer(field, c)) {
        text_addf(problem, ".key.type: objects of type %s cannot stand here", c->type);
        return ERR_TYPE;
    }
    model_add_pair(out, c->name, id);
    return ERR_OK;
}

static enum err read_references(const struct model *model, const struct model_field *field,
                                struct json_span value, struct text *out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text rest = {0};
    struct json_walk w = json_walk(value);
    enum err e = ERR_OK;
    size_t count = 0;

    if (json_kind(value) != JSON_ARRAY)
        return model_wrong_kind(problem, "an array", value);
    for (; !e && json_next(&w); count++) {
        text_add_char(out, count > 0 ? ',' : '[');
        e = read_reference(model, field, w.value, out, &rest);
    }
    text_add(out, count > 0 ? "]" : "null");
    if (e)
        text_addf(problem, "[%zu]%s", count - 1, text_str(&rest));
    return e;
}

static enum err read_value(const struct model *model, const struct model_field *field,
                           struct json_span value, struct text *out, struct text *problem)
{
    if (!is_relation(field) || json_kind(value) == JSON_NULL)
        return model_add_value(model, field, value, out, problem);
    return field->type == FIELD_LIST ? read_references(model, field, value, out, problem)
                                     : read_reference(model, field, value, out, problem);
}

static enum err take_field(const struct model *model, const struct model_field *field,
                           struct json_span value, struct model_object *out, struct text *problem)
{
    const size_t before = out->texts.size;
    enum err e;

    if (!model_in_content(out->class_, field)) {
        text_add(problem, ": no part of the content");
        return ERR_MALFORMED;
    }
    if (field->read_only || field->type == FIELD_TO_MANY) {
        text_add(problem, ": set by the server");
        return ERR_TYPE;
    }
    if (model_object_value(out, field))
        return model_twice(problem);
    e = read_value(model, field, value, &out->texts, problem);
    model_take_text(out, field, before);
    return e;
}

static enum err take_member(const struct model *model, const struct json_walk *w,
                            struct model_object *out, struct text *problem)
{
    const struct model_field *field = model_field_of_key(out->class_, w->key, problem);
    _cleanup_(text_deinitp) struct text rest = {0};
    enum err e;

    if (!field)
        return ERR_MALFORMED;
    e = take_field(model, field, w->value, out, &rest);
    if (e)
        text_addf(problem, ".%s%s", field->name, text_str(&rest));
    return e;
}

enum err model_read_content(const struct model *model, const struct model_class *c,
                            struct json_span members, struct model_object *out,
                            struct text *problem)
{
    struct json_walk w = json_walk(members);
    enum err e = ERR_OK;

    *out = (struct model_object){0};
    if (json_kind(members) != JSON_OBJECT)
        return model_wrong_kind(problem, "an object", members);
    model_object_init(out, c);
    while (!e && json_next(&w))
        e = take_member(model, &w, out, problem);
    if (e)
        model_object_deinit(out);
    else
        model_place_texts(out);
    return e;
}
