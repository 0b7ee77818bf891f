#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load.h"

/* One field of a class, from the file. */

static const char *const type_names[] = {
    [FIELD_STRING] = "string",   [FIELD_INTEGER] = "integer", [FIELD_DOUBLE] = "double",
    [FIELD_BOOLEAN] = "boolean", [FIELD_DATE] = "date",       [FIELD_JSON] = "json",
    [FIELD_TO_ONE] = "toOne",    [FIELD_LIST] = "list",       [FIELD_TO_MANY] = "toMany",
};

static const char *const *members_of(enum field_type type)
{
    static const char *const plain[] = {"type",    "column", "required", "readOnly",
                                        "default", "access", NULL};
    static const char *const set[] = {"type",    "column", "required", "readOnly",
                                      "default", "access", "server",   NULL};
    static const char *const string[] = {"type",    "column", "required", "readOnly",
                                         "default", "access", "values",   NULL};
    static const char *const source[] = {"type",   "column", "required", "readOnly",
                                         "target", "access", "server",   NULL};
    static const char *const derived[] = {"type",    "column", "target", "inverse",
                                          "through", "onward", "listed", NULL};

    switch (type) {
    case FIELD_STRING:
        return string;
    case FIELD_BOOLEAN:
    case FIELD_DATE:
        return set;
    case FIELD_TO_ONE:
    case FIELD_LIST:
        return source;
    case FIELD_TO_MANY:
        return derived;
    default:
        return plain;
    }
}

static bool is_relation(const struct model_field *field)
{
    return field->type == FIELD_TO_ONE || field->type == FIELD_LIST || field->type == FIELD_TO_MANY;
}

bool model_load_type(struct loading *l, struct json_object *row, const char *path,
                     enum field_type *out)
{
    const char *name = model_get_string(l, row, path, "type", true);

    if (!name)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(type_names); i++) {
        if (strcmp(name, type_names[i]) == 0) {
            *out = (enum field_type)i;
            return true;
        }
    }
    model_tell(l, path, "type",
               "expected string, integer, double, boolean, date, json, toOne, list or toMany");
    return false;
}

const struct model_class *model_find_class(struct loading *l, const char *path, const char *member,
                                           const char *name)
{
    const struct model_class *c = model_class(l->model, name, strlen(name));

    if (!c)
        model_tell(l, path, member, "no such class");
    return c;
}

const struct model_field *model_find_field(const struct model_class *c, const char *name)
{
    return name ? model_field(c, name, strlen(name)) : NULL;
}

void model_load_targets(struct loading *l, struct json_object *row, const char *path,
                        struct model_field *field)
{
    struct json_object *given = json_object_object_get(row, "target");
    const bool several = json_object_is_type(given, json_type_array);
    const char *const one[] = {several ? NULL : model_get_string(l, row, path, "target", true),
                               NULL};
    const char *const *names = several ? model_get_words(l, given, path, "target") : one;
    const struct model_class **targets;
    size_t count = 0;

    while (names[count])
        count++;
    targets = model_alloc(l->model, count + 1, sizeof(*targets));
    field->targets = targets;
    for (; *names; names++)
        if ((*targets = model_find_class(l, path, "target", *names)))
            targets++;
}

static void load_to_many(struct loading *l, struct json_object *row, const char *path,
                         struct model_field *field)
{
    const char *through = model_get_string(l, row, path, "through", false);

    field->listed = model_get_flag(l, row, path, "listed");
    field->inverse = model_get_string(l, row, path, "inverse", true);
    field->onward = model_get_string(l, row, path, "onward", through != NULL);
    if (through)
        field->through = model_find_class(l, path, "through", through);
    else if (field->onward)
        model_tell(l, path, "onward", "stands only beside \"through\"");
}

static void load_values(struct loading *l, struct json_object *row, const char *path,
                        struct model_field *field)
{
    struct json_object *given = json_object_object_get(row, "values");

    if (!given)
        return;
    if (json_object_is_type(given, json_type_array))
        field->values = model_get_words(l, given, path, "values");
    else
        model_tell(l, path, "values", "expected an array of strings");
}

/* A default is checked like the value of a request. */
static void load_default(struct loading *l, struct json_object *row, const char *path,
                         struct model_field *field)
{
    _cleanup_(text_deinitp) struct text value = {0}, rest = {0};
    struct json_object *given = json_object_object_get(row, "default");
    struct json_span text;

    if (!given)
        return;
    if (!model_get_text(given, &text))
        text_add(&rest, ": no JSON value");
    else if (model_add_value(l->model, field, text, &value, &rest) == ERR_OK)
        field->initial = model_keep(l->model, &value);
    if (rest.size > 0)
        text_addf(l->problems, "%s.default%s\n", path, rest.at);
}

static void load_column(struct loading *l, struct json_object *row, const char *path,
                        struct model_field *field)
{
    const char *column = model_get_string(l, row, path, "column", false);

    if (!column)
        return;
    if (!model_is_name(column, "-"))
        model_tell(l, path, "column", "expected letters, digits, - and _, a letter first");
    field->column = column;
}

void model_load_field(struct loading *l, struct json_object *row, const char *path,
                      struct model_field *field)
{
    field->column = field->name;
    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path);
        return;
    }
    if (!model_load_type(l, row, path, &field->type))
        return;
    json_get_only(row, path, members_of(field->type), l->problems);
    load_column(l, row, path, field);
    field->required = model_get_flag(l, row, path, "required");
    field->read_only = model_get_flag(l, row, path, "readOnly");
    model_load_server(l, row, path, field);
    if (field->type == FIELD_STRING)
        load_values(l, row, path, field);
    if (field->type == FIELD_TO_MANY)
        load_to_many(l, row, path, field);
    if (is_relation(field))
        model_load_targets(l, row, path, field);
    else
        load_default(l, row, path, field);
}

/* ---- The other side of a to-many ---- */

/* Is `name` a to-one of `c`, or one of its `lists` too, that may hold an object of class `to`? */
static bool refers(const struct model_class *c, const char *name, const struct model_class *to,
                   bool lists)
{
    const struct model_field *field = model_find_field(c, name);
    const struct model_class *const *target;

    if (!field || (field->type != FIELD_TO_ONE && !(lists && field->type == FIELD_LIST)))
        return false;
    target = field->targets;
    while (*target && !model_is_a(to, *target))
        target++;
    return *target != NULL;
}

/* The key of such a target is an array that begins with the key of its owner. */
static bool is_part_of_id(const struct model_class *target, const char *inverse)
{
    return strcmp(inverse, "ID") == 0 && target->id == ID_ARRAY;
}

void model_check_to_many(struct loading *l, const struct model_class *owner,
                         const struct model_field *field, const char *path)
{
    const struct model_class *const *target = field->targets;

    if (field->type != FIELD_TO_MANY || !field->inverse)
        return;
    if (field->through && !refers(field->through, field->inverse, owner, false))
        model_tell(l, path, "inverse", "no toOne of the join class that refers here");
    for (; target && *target; target++) {
        if (field->through) {
            if (field->onward && !refers(field->through, field->onward, *target, false))
                model_tell(l, path, "onward",
                           "no toOne of the join class that refers to the target");
        } else if (!refers(*target, field->inverse, owner, true) &&
                   !is_part_of_id(*target, field->inverse)) {
            model_tell(l, path, "inverse", "no toOne or list of the target that refers here");
        }
    }
}
