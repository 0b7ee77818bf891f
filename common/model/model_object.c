#include <stdlib.h>
#include <string.h>

#include "common/model/model_internal.h"

/* Whole objects: from a request, and to clients. */

#define SHOWN_KEY_MAX 64 /* of a client's member names, in what we tell about them */

enum err model_twice(struct text *problem)
{
    text_add(problem, ": stands there twice");
    return ERR_MALFORMED;
}

static enum err read_class(const struct model *model, struct json_span object,
                           const struct model_class **out, struct text *problem)
{
    size_t count;
    struct json_span cn = json_member(object, "cn", &count);

    text_add(problem, ".cn");
    if (count > 1)
        return model_twice(problem);
    if (count == 0) {
        text_add(problem, ": missing");
        return ERR_MALFORMED;
    }
    return model_read_class(model, cn, out, problem);
}

static bool is_blank(struct json_span string)
{
    _cleanup_(text_deinitp) struct text decoded = {0};

    return json_decode(string, &decoded) == ERR_OK &&
           strspn(text_str(&decoded), " \t\r\n") == decoded.size;
}

static enum err read_id(const struct model_class *c, struct json_span object, char **out,
                        struct text *problem)
{
    size_t count;
    struct json_span id = json_member(object, "ID", &count);

    text_add(problem, ".ID");
    if (count > 1)
        return model_twice(problem);
    if (count == 0 || json_kind(id) == JSON_NULL || is_blank(id))
        return ERR_OK;
    return model_read_id(c, id, out, problem);
}

const struct model_field *model_field_of_key(const struct model_class *c, struct json_span key,
                                             struct text *problem)
{
    _cleanup_(text_deinitp) struct text name = {0};
    const struct model_field *field =
        json_decode(key, &name) ? NULL : model_field(c, text_str(&name), name.size);

    if (field)
        return field;
    text_addf(problem, ": %s has no field ", c->name);
    if (key.size <= SHOWN_KEY_MAX)
        text_add_bytes(problem, key.at, key.size);
    else
        text_add(problem, "of such a long name");
    return NULL;
}

void model_take_text(struct model_object *object, const struct model_field *field, size_t before)
{
    object->values[object->count++] =
        (struct model_value){field, NULL, object->texts.size - before};
    text_add_char(&object->texts, '\0');
}

/* Does an example leave this field open? */
static bool is_open(const struct model_field *field, struct json_span value)
{
    const enum json_kind kind = json_kind(value);
    int64_t time;

    if (field->type == FIELD_DATE && !json_int64(value, &time))
        return time <= 0;
    if (field->type == FIELD_STRING && kind == JSON_STRING)
        return is_blank(value);
    if (field->type == FIELD_TO_ONE && kind == JSON_OBJECT) {
        const struct json_span id = json_member(value, "ID", NULL);

        return json_kind(id) == JSON_ABSENT || json_kind(id) == JSON_NULL || json_string_is(id, "");
    }
    if ((field->type == FIELD_LIST || field->type == FIELD_TO_MANY) && kind == JSON_ARRAY)
        return json_count(value) == 0;
    return kind == JSON_NULL;
}

/* What the server keeps or derives itself is passed over, whatever the client sent. */
static bool is_passed_over(const struct model_object *object, const struct model_field *field,
                           struct json_span value)
{
    if (object->source == MODEL_EXAMPLE)
        return is_open(field, value);
    if (object->source == MODEL_EXPORT && field->server == SERVER_CONNECTED)
        return true;
    return field->type == FIELD_TO_MANY || (object->source == MODEL_REQUEST && field->read_only);
}

static enum err take_value(const struct model *model, const struct model_field *field,
                           struct json_span value, struct model_object *out, struct text *problem)
{
    const size_t before = out->texts.size;
    enum err e;

    if (is_passed_over(out, field, value))
        return ERR_OK;
    if (field->type == FIELD_TO_MANY) {
        text_add(problem, ": derived, so nothing can be looked for by it");
        return ERR_TYPE;
    }
    e = model_add_value(model, field, value, &out->texts, problem);
    model_take_text(out, field, before);
    return e;
}

/* Is it read already, before the fields? */
static bool is_head(const struct model_object *object, struct json_span key)
{
    if (json_string_is(key, "cn") || json_string_is(key, "ID"))
        return true;
    return object->source == MODEL_EXPORT && model_is_mark(key);
}

static enum err take_member(const struct model *model, const struct json_walk *w, bool *seen,
                            struct model_object *out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text rest = {0};
    const struct model_field *field;
    size_t i;
    enum err e;

    if (is_head(out, w->key))
        return ERR_OK;
    field = model_field_of_key(out->class_, w->key, problem);
    if (!field)
        return ERR_MALFORMED;

    i = (size_t)(field - out->class_->fields);
    e = seen[i] ? model_twice(&rest) : take_value(model, field, w->value, out, &rest);
    seen[i] = true;
    if (e)
        text_addf(problem, ".%s%s", field->name, text_str(&rest));
    return e;
}

void model_begin_values(struct model_object *object)
{
    object->values = calloc(object->class_->field_count + 1, sizeof(*object->values));
    if (!object->values)
        err_out_of_memory();
}

static enum err take_members(const struct model *model, struct json_span object,
                             struct model_object *out, struct text *problem)
{
    bool *seen = calloc(out->class_->field_count + 1, sizeof(*seen));
    struct json_walk w = json_walk(object);
    enum err e = ERR_OK;

    if (!seen)
        err_out_of_memory();
    model_begin_values(out);
    while (!e && json_next(&w))
        e = take_member(model, &w, seen, out, problem);
    free(seen);
    return e;
}

void model_place_texts(struct model_object *object)
{
    const char *at = text_str(&object->texts);

    for (size_t i = 0; i < object->count; i++) {
        object->values[i].text = at;
        at += object->values[i].size + 1;
    }
}

static enum err read_parts(const struct model *model, struct json_span object,
                           struct model_object *out, struct text *problem)
{
    enum err e;

    if (json_kind(object) != JSON_OBJECT)
        return model_wrong_kind(problem, "an object", object);
    e = read_class(model, object, &out->class_, problem);
    if (e)
        return e;
    if (out->class_->abstract && out->source != MODEL_EXAMPLE) {
        text_addf(problem, ": %s is abstract", out->class_->name);
        return ERR_NOT_FOUND;
    }
    text_clear(problem);
    e = read_id(out->class_, object, &out->id, problem);
    if (e)
        return e;
    text_clear(problem);
    if (out->source == MODEL_EXPORT)
        e = model_read_marks(object, out, problem);
    if (e)
        return e;
    return take_members(model, object, out, problem);
}

static enum err read_object(const struct model *model, struct json_span object,
                            struct model_object *out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text rest = {0};
    enum err e;

    e = read_parts(model, object, out, &rest);
    if (e) {
        if (out->source == MODEL_EXPORT)
            text_add(problem, text_str(&rest) + strspn(text_str(&rest), ".: "));
        else
            text_addf(problem, "theObject%s", text_str(&rest));
        model_object_deinit(out);
        return e;
    }
    model_place_texts(out);
    return ERR_OK;
}

enum err model_read_object(const struct model *model, struct json_span object,
                           struct model_object *out, struct text *problem)
{
    *out = (struct model_object){0};
    return read_object(model, object, out, problem);
}

enum err model_read_example(const struct model *model, struct json_span example,
                            struct model_object *out, struct text *problem)
{
    *out = (struct model_object){.source = MODEL_EXAMPLE};
    return read_object(model, example, out, problem);
}

enum err model_read_exported(const struct model *model, struct json_span object,
                             struct model_object *out, struct text *problem)
{
    *out = (struct model_object){.source = MODEL_EXPORT};
    return read_object(model, object, out, problem);
}

/* ---- What it refers to ---- */

struct visit {
    const struct model *model;
    model_pair_fn *pair;
    void *arg;
};

static bool may_name_others(const struct model_field *field)
{
    const struct model_class *const *target = field->targets;

    while (target && *target && !model_names_others(*target))
        target++;
    return target && *target;
}

static void visit_pair(const struct visit *visit, struct json_span pair, struct text *out)
{
    _cleanup_(text_deinitp) struct text rest = {0};
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;

    if (model_read_pair(visit->model, pair, &c, &id, &rest))
        return; /* it was checked */
    if (model_names_others(c))
        c = visit->pair(visit->arg, c, id);
    model_add_pair(out, c->name, id);
}

static void visit_value(const struct visit *visit, const struct model_value *value,
                        struct text *out)
{
    const struct json_span text = {value->text, value->size};
    size_t count = 0;

    if (!may_name_others(value->field) || json_kind(text) == JSON_NULL) {
        text_add_bytes(out, value->text, value->size);
    } else if (value->field->type == FIELD_TO_ONE) {
        visit_pair(visit, text, out);
    } else {
        for (struct json_walk w = json_walk(text); json_next(&w); count++) {
            text_add_char(out, count ? ',' : '[');
            visit_pair(visit, w.value, out);
        }
        text_add_char(out, ']');
    }
}

static bool has_pairs_to_visit(const struct model_object *object)
{
    size_t i = 0;

    while (i < object->count && !may_name_others(object->values[i].field))
        i++;
    return i < object->count;
}

/* `texts`, from now on the object's, has the texts of all values in their order. */
static void replace_texts(struct model_object *object, const struct text *texts)
{
    text_deinit(&object->texts);
    object->texts = *texts;
    model_place_texts(object);
}

void model_visit_pairs(const struct model *model, struct model_object *object, model_pair_fn *visit,
                       void *arg)
{
    const struct visit with = {model, visit, arg};
    struct text texts = {0};

    if (!has_pairs_to_visit(object))
        return;
    for (size_t i = 0; i < object->count; i++) {
        const size_t before = texts.size;

        visit_value(&with, &object->values[i], &texts);
        object->values[i].size = texts.size - before;
        text_add_char(&texts, '\0');
    }
    replace_texts(object, &texts);
}

void model_object_set(struct model_object *object, const struct model_field *field,
                      const char *text)
{
    const struct model_value *before = model_object_value(object, field);
    const size_t at = before ? (size_t)(before - object->values) : object->count++;
    struct text texts = {0};

    object->values[at] = (struct model_value){field, text, strlen(text)};
    for (size_t i = 0; i < object->count; i++) {
        text_add_bytes(&texts, object->values[i].text, object->values[i].size);
        text_add_char(&texts, '\0');
    }
    replace_texts(object, &texts);
}

void model_object_init(struct model_object *object, const struct model_class *c)
{
    *object = (struct model_object){.class_ = c};
    model_begin_values(object);
}

const struct model_value *model_object_value(const struct model_object *object,
                                             const struct model_field *field)
{
    for (size_t i = 0; i < object->count; i++) {
        if (object->values[i].field == field)
            return &object->values[i];
    }
    return NULL;
}

void model_object_deinit(struct model_object *object)
{
    free(object->id);
    free(object->user);
    free(object->values);
    text_deinit(&object->texts);
    *object = (struct model_object){0};
}

const char *model_said(const struct model_field *field, const char *text)
{
    const bool nothing = !text || !strcmp(text, "null");

    if (nothing && (field->type == FIELD_LIST || field->type == FIELD_TO_MANY))
        return "[]";
    if (nothing && field->server == SERVER_CONNECTED)
        return "false";
    return nothing ? "null" : text;
}

bool model_is_hidden(const char *text)
{
    return text && !strcmp(text, MODEL_HIDDEN);
}

void model_add_object(struct text *out, const struct model_class *c, const char *id,
                      model_value_fn *value, const void *arg)
{
    text_add(out, "{\"cn\":");
    text_add_json_str(out, c->name);
    text_add(out, ",\"ID\":");
    text_add_json_str(out, id);
    for (size_t i = 0; i < c->field_count; i++) {
        const struct model_field *field = &c->fields[i];
        const bool kept = field->type != FIELD_TO_MANY || field->listed;
        const char *text = kept ? value(arg, field) : NULL;

        if (model_is_hidden(text))
            continue;
        text_add_char(out, ',');
        text_add_json_str(out, field->name);
        text_add_char(out, ':');
        text_add(out, model_said(field, text));
    }
    text_add_char(out, '}');
}
