#include "common/model/model_load.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"

/*
 * From the file to the model, in passes over all classes: heads, parents, fields, then what needs
 * the fields of other classes (rules, other sides), then what is derived from all of that
 * (watchers, queries). Parents that are wrong end it early, since half of what came after would be
 * false alarms; and so does anything that is wrong before the last pass.
 */

/* ---- What the passes share ---- */

void model_tell(struct loading *l, const char *path, const char *member, const char *what)
{
    text_addf(l->problems, "%s.%s: %s\n", path, member, what);
}

const char *model_get_string(struct loading *l, struct json_object *row, const char *path,
                             const char *member, bool required)
{
    const char *value = NULL;

    return json_get_string(row, path, member, required, &value, l->problems) ? NULL : value;
}

bool model_get_flag(struct loading *l, struct json_object *row, const char *path,
                    const char *member)
{
    bool value = false;

    return !json_get_bool(row, path, member, &value, l->problems) && value;
}

const char *const *model_get_words(struct loading *l, struct json_object *array, const char *path,
                                   const char *member)
{
    const size_t length = json_object_array_length(array);
    const char **words = model_alloc(l->model, length + 1, sizeof(*words));
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        struct json_object *item = json_object_array_get_idx(array, i);

        if (json_object_is_type(item, json_type_string))
            words[count++] = json_object_get_string(item);
    }
    if (count == 0 || count < length)
        model_tell(l, path, member, "expected one string or more, and nothing else");
    return words;
}

bool model_get_text(struct json_object *value, struct json_span *out)
{
    static const struct json_limits limits = {.depth = JSON_DEPTH_MAX, .number_chars = 1000};
    const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE);

    *out = (struct json_span){text, strlen(text)};
    return !json_check(text, out->size, &limits, NULL);
}

bool model_is_name(const char *name, const char *more)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    while (isalnum((unsigned char)*name) || *name == '_' || (*name && strchr(more, *name)))
        name++;
    return *name == '\0';
}

struct json_object *model_row_of(const struct loading *l, const struct model_class *c)
{
    return l->rows[c - l->model->classes];
}

void model_class_path(struct text *out, const struct model_class *c, const char *rest)
{
    text_clear(out);
    text_addf(out, "classes.%s%s", c->name, rest);
}

/* ---- Heads ---- */

static enum id_kind load_id_kind(struct loading *l, struct json_object *row, const char *path)
{
    const char *name = model_get_string(l, row, path, "id", false);

    if (!name || strcmp(name, "string") == 0)
        return ID_STRING;
    if (strcmp(name, "integer") == 0)
        return ID_INTEGER;
    if (strcmp(name, "array") == 0)
        return ID_ARRAY;
    model_tell(l, path, "id", "expected string, integer or array");
    return ID_STRING;
}

static void load_type(struct loading *l, struct model_class *c, struct json_object *row,
                      const char *path)
{
    const struct model_class *other;
    const char *type = model_get_string(l, row, path, "type", false);

    if (!type)
        return;
    other = model_class_by_type(l->model, type);
    if (!model_is_name(type, "-"))
        model_tell(l, path, "type", "expected letters, digits, - and _, a letter first");
    else if (c->abstract)
        model_tell(l, path, "type", "an abstract class has none");
    else if (other)
        text_addf(l->problems, "%s.type: that of %s already\n", path, other->name);
    c->type = type;
}

static void load_head(struct loading *l, struct model_class *c, struct json_object *row)
{
    static const char *const members[] = {"parent",   "abstract", "type",    "id",      "anchor",
                                          "fields",   "access",   "indexes", "history", "summary",
                                          "children", "watchers", "queries", NULL};
    _cleanup_(text_deinitp) struct text path = {0};

    model_class_path(&path, c, "");
    if (!model_is_name(c->name, "."))
        text_addf(l->problems, "%s: a class has a name of letters, digits, _ and dots\n", path.at);
    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path.at);
        return;
    }
    json_get_only(row, path.at, members, l->problems);
    c->abstract = model_get_flag(l, row, path.at, "abstract");
    c->history = model_get_flag(l, row, path.at, "history");
    c->id = load_id_kind(l, row, path.at);
    load_type(l, c, row, path.at);
}

static void load_heads(struct loading *l, struct json_object *classes)
{
    struct json_object_iter row;
    size_t i = 0;

    l->model->count = (size_t)json_object_object_length(classes);
    l->model->classes = model_alloc(l->model, l->model->count, sizeof(*l->model->classes));
    l->rows = model_alloc(l->model, l->model->count, sizeof(struct json_object *));
    json_object_object_foreachC(classes, row)
    {
        l->model->classes[i].name = row.key;
        l->rows[i] = row.val;
        load_head(l, &l->model->classes[i], row.val);
        i++;
    }
    model_index_classes(l->model);
}

/* ---- Parents ---- */

static void load_parent(struct loading *l, struct model_class *c, struct json_object *row)
{
    _cleanup_(text_deinitp) struct text path = {0};
    const char *name;

    model_class_path(&path, c, "");
    name = model_get_string(l, row, path.at, "parent", false);
    if (!name)
        return;
    c->parent = model_class(l->model, name, strlen(name));
    if (!c->parent)
        model_tell(l, path.at, "parent", "no such class");
    else if (json_object_object_get(row, "id"))
        model_tell(l, path.at, "id", "that of the parent, which cannot be changed");
}

/* A chain of parents that is longer than there are classes has no end. */
static bool is_in_circle(const struct loading *l, const struct model_class *c)
{
    size_t steps = 0;

    while (c && steps <= l->model->count) {
        c = c->parent;
        steps++;
    }
    return c != NULL;
}

static void load_parents(struct loading *l)
{
    for (size_t i = 0; i < l->model->count; i++)
        load_parent(l, &l->model->classes[i], l->rows[i]);
    for (size_t i = 0; i < l->model->count; i++) {
        const struct model_class *c = &l->model->classes[i];

        if (is_in_circle(l, c))
            text_addf(l->problems, "classes.%s.parent: a class cannot descend from itself\n",
                      c->name);
    }
}

static void count_concrete(struct model *model, struct model_class *c)
{
    const struct model_class **concrete =
        model_alloc(model, model->count, sizeof(struct model_class *));

    for (size_t i = 0; i < model->count; i++)
        if (!model->classes[i].abstract && model_is_a(&model->classes[i], c))
            concrete[c->concrete_count++] = &model->classes[i];
    c->concrete = concrete;
}

/* ---- Fields ---- */

static bool has_name(const struct model_field *fields, size_t count, const char *name)
{
    while (count > 0 && strcmp(fields[count - 1].name, name) != 0)
        count--;
    return count > 0;
}

static void load_own_field(struct loading *l, const struct model_class *c, struct json_object *row,
                           struct model_field *field)
{
    _cleanup_(text_deinitp) struct text path = {0};

    model_class_path(&path, c, ".fields.");
    text_add(&path, field->name);
    if (!model_is_name(field->name, "-") || strcmp(field->name, "cn") == 0 ||
        strcmp(field->name, "ID") == 0)
        text_addf(l->problems, "%s: a field has a name of letters, digits, - and _, not cn or ID\n",
                  path.at);
    if (c->parent && has_name(c->parent->fields, c->parent->field_count, field->name))
        text_addf(l->problems, "%s: the parent has a field of this name\n", path.at);
    model_load_field(l, row, path.at, field);
    model_note_access(l, c, row, path.at, field);
    for (const struct model_field *other = c->fields; other < field; other++) {
        if (strcmp(other->column, field->column) == 0)
            text_addf(l->problems, "%s.column: %s has the values of %s already\n", path.at,
                      field->column, other->name);
    }
}

/* The parent's fields, then its own. */
static void copy_fields(struct loading *l, struct model_class *c, struct json_object *own)
{
    const size_t inherited = c->parent ? c->parent->field_count : 0;
    const size_t own_count = own ? (size_t)json_object_object_length(own) : 0;
    struct model_field *fields = model_alloc(l->model, inherited + own_count, sizeof(*fields));
    struct json_object_iter row;

    c->fields = fields;
    c->field_count = inherited + own_count;
    if (inherited > 0)
        memcpy(fields, c->parent->fields, inherited * sizeof(*fields));
    if (!own)
        return;
    fields += inherited;
    json_object_object_foreachC(own, row)
    {
        fields->name = row.key;
        load_own_field(l, c, row.val, fields++);
    }
}

/* Also of its parents first, and so puts the class behind them. */
static void load_fields(struct loading *l, struct model_class *c)
{
    _cleanup_(text_deinitp) struct text path = {0};
    struct json_object *own = NULL;

    if (c->fields) /* some child was here before */
        return;
    if (c->parent) {
        load_fields(l, &l->model->classes[c->parent - l->model->classes]);
        c->id = c->parent->id;
        c->history = c->history || c->parent->history;
    }
    model_class_path(&path, c, "");
    if (json_get_object(model_row_of(l, c), path.at, "fields", false, &own, l->problems))
        own = NULL;
    copy_fields(l, c, own);
    model_index_fields(l->model, c);
    l->parents_first[l->ready++] = c;
}

/* ---- What needs the fields of other classes ---- */

static void check_relations(struct loading *l, const struct model_class *c)
{
    _cleanup_(text_deinitp) struct text path = {0};

    for (size_t i = c->parent ? c->parent->field_count : 0; i < c->field_count; i++) {
        model_class_path(&path, c, ".fields.");
        text_add(&path, c->fields[i].name);
        model_check_to_many(l, c, &c->fields[i], path.at);
        model_check_server(l, c, &c->fields[i], path.at);
    }
}

/* ---- All of it ---- */

static void load_bodies(struct loading *l)
{
    const size_t count = l->model->count;

    l->parents_first = model_alloc(l->model, count, sizeof(struct model_class *));
    for (size_t i = 0; i < count; i++)
        load_fields(l, &l->model->classes[i]);
    for (size_t i = 0; i < count; i++)
        model_load_anchor(l, l->parents_first[i]);
    for (size_t i = 0; i < count; i++)
        model_load_rules(l, l->parents_first[i]);
    model_load_field_rules(l);
    for (size_t i = 0; i < count; i++)
        model_load_indexes(l, l->parents_first[i]);
    for (size_t i = 0; i < count; i++) {
        check_relations(l, &l->model->classes[i]);
        count_concrete(l->model, &l->model->classes[i]);
    }
    for (size_t i = 0; i < count; i++)
        model_load_children(l, l->parents_first[i]);
    for (size_t i = 0; i < count; i++)
        model_load_summary(l, l->parents_first[i]);
    model_load_listings(l);
    model_load_entries(l);
}

static void load_tree(struct loading *l)
{
    static const char *const members[] = {"classes", "entryPoints", "clientConfig", NULL};
    struct json_object *classes = NULL;

    if (!json_object_is_type(l->model->tree, json_type_object)) {
        text_add(l->problems, "expected an object\n");
        return;
    }
    json_get_only(l->model->tree, "", members, l->problems);
    if (json_get_object(l->model->tree, "", "classes", true, &classes, l->problems))
        return;
    load_heads(l, classes);
    if (l->problems->size == 0)
        load_parents(l);
    if (l->problems->size == 0)
        load_bodies(l);
    if (l->problems->size == 0) {
        model_load_watchers(l);
        model_load_queries(l);
    }
}

/* json-c keeps the order of members, and numbers as they are written. */
static void keep_text(struct model *model)
{
    _cleanup_(text_deinitp) struct text canonical = {0};

    text_add(&canonical, json_object_to_json_string_ext(
                             model->tree, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    model->text = model_keep(model, &canonical);
    secret_hash(canonical.at, canonical.size, model->digest);
}

/* Takes over the tree. */
static enum err load_model(struct json_object *tree, int64_t path_most, struct model **out,
                           struct text *problems)
{
    struct model *model = calloc(1, sizeof(*model));
    struct loading l = {.model = model, .problems = problems};

    if (!model)
        err_out_of_memory();
    model->tree = tree;
    model->path_most = path_most;
    load_tree(&l);
    if (problems->size > 0) {
        model_destroy(model);
        return ERR_CONFIG;
    }
    model_note_inputs(model);
    keep_text(model);
    *out = model;
    return ERR_OK;
}

enum err model_load_limited(const char *path, int64_t path_most, struct model **out,
                            struct text *problems)
{
    struct json_object *tree;
    enum err e = json_get_file(path, &tree, problems);

    return e ? e : load_model(tree, path_most, out, problems);
}

enum err model_load(const char *path, struct model **out, struct text *problems)
{
    return model_load_limited(path, MODEL_PATH_MOST, out, problems);
}

enum err model_parse(const char *name, const struct text *content, struct model **out,
                     struct text *problems)
{
    struct json_object *tree;
    enum err e = json_get_text(name, content, &tree, problems);

    return e ? e : load_model(tree, MODEL_PATH_MOST, out, problems);
}
