#include "common/model/model_load_watch.h"

#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"

/*
 * The watchers of all classes, in two passes: what each says by itself, then the fields that they
 * make their values of, since such a field may be another watcher, and that one's value has a type
 * only when its own field is known.
 */

enum progress { WAITING, BUSY, READY };

struct entry {
    struct model_watcher *watcher;
    struct json_object *row;
    enum progress field;
};

struct watching {
    struct loading *l;
    struct entry *entries; /* of all classes, parents first */
    size_t count;
    const struct model_watcher *
        *chain; /* whose fields are being looked for, each by the one before */
    size_t depth;
    bool in_circle; /* so types are not known */
};

static const char *const values[] = {
    [WATCH_COUNT] = "count", [WATCH_SUM] = "sum",         [WATCH_MIN] = "min",
    [WATCH_MAX] = "max",     [WATCH_AVG] = "avg",         [WATCH_FIRST] = "first",
    [WATCH_PATH] = "path",   [WATCH_PROCESS] = "process",
};

static void watcher_path(struct text *out, const struct model_watcher *watcher)
{
    model_class_path(out, watcher->owner, ".watchers.");
    text_add(out, watcher->name);
}

/* ---- What a watcher says by itself ---- */

static const char *const *members_of(enum watch_value value)
{
    static const char *const count[] = {"value", "of", "where", "params", NULL};
    static const char *const field[] = {"value", "of", "where", "params", "field", NULL};
    static const char *const one[] = {"value", "of", "where", "params", "field", "order", NULL};
    static const char *const process[] = {"value", "process", "params", NULL};

    switch (value) {
    case WATCH_COUNT:
        return count;
    case WATCH_FIRST:
    case WATCH_PATH:
        return one;
    case WATCH_PROCESS:
        return process;
    default:
        return field;
    }
}

static bool load_value(struct loading *l, struct json_object *row, const char *path,
                       enum watch_value *out)
{
    const char *name = model_get_string(l, row, path, "value", true);

    if (!name)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        if (strcmp(name, values[i]) == 0) {
            *out = (enum watch_value)i;
            return true;
        }
    }
    model_tell(l, path, "value", "expected count, sum, min, max, avg, first, path or process");
    return false;
}

/* "greet", "HTTP:weather" */
static bool is_process_name(const char *name)
{
    const size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789_.:-");

    return length > 0 && length <= 200 && name[length] == '\0';
}

static void load_process(struct loading *l, struct json_object *row, const char *path,
                         struct model_watcher *watcher)
{
    watcher->process = model_get_string(l, row, path, "process", true);
    if (watcher->process && !is_process_name(watcher->process))
        model_tell(l, path, "process", "expected the name of a process");
    watcher->type = FIELD_JSON;
}

static void load_steps(struct loading *l, struct json_object *row, const char *path,
                       struct model_watcher *watcher)
{
    const struct model_class *const start[] = {watcher->owner, NULL};
    struct model_way way = {.l = l, .reached = model_concrete_of(l->model, start)};

    if (model_load_way(&way, row, path, "of") == 0 && watcher->value != WATCH_PATH)
        model_tell(l, path, "of", "expected one step or more");
    watcher->steps = way.steps;
    watcher->step_count = way.count;
    watcher->reached = way.reached;
    watcher->many = watcher->value == WATCH_PATH && way.many;
}

static void load_body(struct loading *l, struct json_object *row, const char *path,
                      struct model_watcher *watcher)
{
    model_load_params(l, row, path, &watcher->params);
    if (watcher->value == WATCH_PROCESS) {
        load_process(l, row, path, watcher);
        return;
    }
    load_steps(l, row, path, watcher);
    if (!watcher->reached)
        return;
    watcher->where =
        model_load_where(l, row, path, &watcher->params, watcher->reached, &watcher->where_count);
    watcher->order = model_load_order(l, row, path, watcher->reached, &watcher->order_count);
    if (watcher->order_count > 0 && watcher->value == WATCH_PATH && !watcher->many)
        model_tell(l, path, "order", "this path leads to one object at most");
}

static void check_name(struct loading *l, const struct model_class *c, const char *name,
                       const char *path)
{
    if (!model_is_name(name, "-") || strcmp(name, "cn") == 0 || strcmp(name, "ID") == 0)
        text_addf(l->problems,
                  "%s: a watcher has a name of letters, digits, - and _, not cn or ID\n", path);
    if (model_find_field(c, name))
        text_addf(l->problems, "%s: the class has a field of this name\n", path);
    for (size_t i = 0; c->parent && i < c->parent->watcher_count; i++) {
        if (strcmp(c->parent->watchers[i]->name, name) == 0)
            text_addf(l->problems, "%s: the parent has a watcher of this name\n", path);
    }
}

static void load_entry(struct watching *w, struct entry *entry)
{
    struct model_watcher *watcher = entry->watcher;
    _cleanup_(text_deinitp) struct text path = {0};

    watcher_path(&path, watcher);
    check_name(w->l, watcher->owner, watcher->name, path.at);
    entry->field = READY; /* until there is something to look for */
    if (!json_object_is_type(entry->row, json_type_object)) {
        text_addf(w->l->problems, "%s: expected an object\n", path.at);
        return;
    }
    if (!load_value(w->l, entry->row, path.at, &watcher->value))
        return;
    json_get_only(entry->row, path.at, members_of(watcher->value), w->l->problems);
    load_body(w->l, entry->row, path.at, watcher);
    if (watcher->reached)
        entry->field = WAITING;
}

/* ---- The field that the value is made of ---- */

static struct entry *entry_of(const struct watching *w, const struct model_class *c,
                              const char *name)
{
    for (size_t i = 0; i < c->watcher_count; i++) {
        struct entry *entry = w->entries;

        if (strcmp(c->watchers[i]->name, name) != 0)
            continue;
        while (entry->watcher != c->watchers[i])
            entry++;
        return entry;
    }
    return NULL;
}

static void tell_circle(struct watching *w, const struct model_watcher *again)
{
    _cleanup_(text_deinitp) struct text path = {0};
    size_t i = 0;

    while (w->chain[i] != again)
        i++;
    w->in_circle = true;
    watcher_path(&path, again);
    text_addf(w->l->problems, "%s.field: watchers that depend on each other: ", path.at);
    for (; i < w->depth; i++)
        text_addf(w->l->problems, "%s.%s -> ", w->chain[i]->owner->name, w->chain[i]->name);
    text_addf(w->l->problems, "%s.%s\n", again->owner->name, again->name);
}

static void resolve(struct watching *w, struct entry *entry);

static bool find_source(void *arg, const struct model_class *c, const char *name,
                        struct model_origin *out)
{
    struct watching *w = arg;
    struct entry *entry = entry_of(w, c, name);

    out->field = model_find_field(c, name);
    if (out->field || !entry)
        return out->field != NULL;
    out->watcher = entry->watcher;
    if (entry->field == BUSY)
        tell_circle(w, entry->watcher);
    else
        resolve(w, entry);
    return true;
}

/* May a value of this kind be made of fields of this type? NULL: yes; else what it needs. */
static const char *unfit(enum watch_value value, enum field_type type)
{
    const bool is_number = type == FIELD_INTEGER || type == FIELD_DOUBLE;

    if ((value == WATCH_SUM || value == WATCH_AVG) && !is_number)
        return "an integer or a double";
    if ((value == WATCH_MIN || value == WATCH_MAX) && !is_number && type != FIELD_DATE &&
        type != FIELD_STRING)
        return "an integer, a double, a date or a string";
    return NULL;
}

static void check_origin(struct loading *l, const struct model_origin *origin, const char *path)
{
    if (origin->field && !model_is_shown(origin->field))
        text_addf(l->problems, "%s: %s of %s is a toMany that is not listed\n", path,
                  origin->field->name, origin->class_->name);
    if (origin->watcher && origin->watcher->params.count > 0)
        text_addf(l->problems, "%s: %s of %s has params\n", path, origin->watcher->name,
                  origin->class_->name);
    if (origin->watcher && origin->watcher->value == WATCH_PROCESS)
        text_addf(l->problems, "%s: %s of %s is said by a process\n", path, origin->watcher->name,
                  origin->class_->name);
}

static void load_field(struct watching *w, const struct entry *entry, const char *path)
{
    struct model_watcher *watcher = entry->watcher;
    struct model_term *field = &watcher->field;
    _cleanup_(text_deinitp) struct text place = {0};
    const char *expected;

    field->name = model_get_string(w->l, entry->row, path, "field",
                                   watcher->value != WATCH_FIRST && watcher->value != WATCH_PATH);
    text_addf(&place, "%s.field", path);
    if (!field->name ||
        !model_load_term_by(w->l, watcher->reached, place.at, field, find_source, w))
        return;
    for (size_t i = 0; i < field->origin_count; i++)
        check_origin(w->l, &field->origins[i], place.at);
    expected = unfit(watcher->value, field->type);
    if (expected && !w->in_circle)
        text_addf(w->l->problems, "%s: %s needs %s\n", place.at, values[watcher->value], expected);
}

static enum field_type type_of(const struct model_watcher *watcher)
{
    if (watcher->value == WATCH_COUNT)
        return FIELD_INTEGER;
    if (watcher->value == WATCH_AVG)
        return FIELD_DOUBLE;
    if (watcher->many)
        return FIELD_JSON;
    return watcher->field.name ? watcher->field.type : FIELD_TO_ONE;
}

static void resolve(struct watching *w, struct entry *entry)
{
    struct model_watcher *watcher = entry->watcher;
    _cleanup_(text_deinitp) struct text path = {0};

    if (entry->field != WAITING)
        return;
    entry->field = BUSY;
    w->chain[w->depth++] = watcher;
    watcher_path(&path, watcher);
    if (watcher->value != WATCH_COUNT)
        load_field(w, entry, path.at);
    watcher->type = type_of(watcher);
    model_find_readers(watcher);
    w->depth--;
    entry->field = READY;
}

/* ---- Those of the fields ---- */

static const struct model_watcher *
watcher_of_field(struct model *model, const struct model_class *c, const struct model_field *field)
{
    const struct model_class *const start[] = {c, NULL};
    struct model_watcher *watcher = model_alloc(model, 1, sizeof(*watcher));
    struct model_origin *origins = model_alloc(model, c->concrete_count, sizeof(*origins));

    *watcher = (struct model_watcher){.name = field->name,
                                      .owner = c,
                                      .value = WATCH_PATH,
                                      .type = field->type,
                                      .open = true,
                                      .reached = model_concrete_of(model, start),
                                      .field = {.name = field->name,
                                                .type = field->type,
                                                .origins = origins,
                                                .origin_count = c->concrete_count}};
    for (size_t i = 0; watcher->reached[i]; i++)
        origins[i] =
            (struct model_origin){.class_ = watcher->reached[i],
                                  .field = model_find_field(watcher->reached[i], field->name)};
    model_find_readers(watcher);
    return watcher;
}

static void add_field_watchers(struct model *model, struct model_class *c)
{
    const struct model_watcher **found =
        model_alloc(model, c->field_count, sizeof(struct model_watcher *));

    for (size_t i = 0; i < c->field_count; i++) {
        if (model_is_shown(&c->fields[i]))
            found[i] = watcher_of_field(model, c, &c->fields[i]);
    }
    c->field_watchers = found;
}

/* ---- All of them ---- */

/* The parent's, then its own, of which nothing but the names is known yet. */
static void open_watchers(struct watching *w, struct model_class *c, struct json_object *own)
{
    const size_t inherited = c->parent ? c->parent->watcher_count : 0;
    const size_t count = own ? (size_t)json_object_object_length(own) : 0;
    const struct model_watcher **all =
        model_alloc(w->l->model, inherited + count, sizeof(struct model_watcher *));
    struct model_watcher *watcher = model_alloc(w->l->model, count, sizeof(*watcher));
    struct json_object_iter row;

    c->watchers = all;
    for (; c->watcher_count < inherited; c->watcher_count++)
        all[c->watcher_count] = c->parent->watchers[c->watcher_count];
    if (!own)
        return;
    json_object_object_foreachC(own, row)
    {
        watcher->name = row.key;
        watcher->owner = c;
        watcher->open = true;
        w->entries[w->count++] = (struct entry){watcher, row.val, WAITING};
        all[c->watcher_count++] = watcher++;
    }
}

static struct json_object *own_watchers(struct loading *l, const struct model_class *c)
{
    _cleanup_(text_deinitp) struct text path = {0};
    struct json_object *own = NULL;

    model_class_path(&path, c, "");
    if (json_get_object(model_row_of(l, c), path.at, "watchers", false, &own, l->problems))
        return NULL;
    return own;
}

static void check_inherited(struct loading *l, const struct model_class *c)
{
    const size_t inherited = c->parent ? c->parent->watcher_count : 0;

    for (size_t i = 0; i < inherited; i++) {
        const char *name = c->watchers[i]->name;

        if (model_find_field(c, name) && !model_find_field(c->parent, name))
            text_addf(l->problems, "classes.%s.fields.%s: the parent has a watcher of this name\n",
                      c->name, name);
    }
}

static size_t count_all(const struct loading *l)
{
    size_t count = 0;

    for (size_t i = 0; i < l->model->count; i++) {
        struct json_object *own = json_object_object_get(l->rows[i], "watchers");

        if (json_object_is_type(own, json_type_object))
            count += (size_t)json_object_object_length(own);
    }
    return count;
}

void model_load_watchers(struct loading *l)
{
    const size_t count = count_all(l);
    struct watching w = {.l = l,
                         .entries = model_alloc(l->model, count, sizeof(*w.entries)),
                         .chain = model_alloc(l->model, count, sizeof(*w.chain))};

    for (size_t i = 0; i < l->model->count; i++)
        open_watchers(&w, l->parents_first[i], own_watchers(l, l->parents_first[i]));
    for (size_t i = 0; i < l->model->count; i++)
        check_inherited(l, &l->model->classes[i]);
    for (size_t i = 0; i < w.count; i++)
        load_entry(&w, &w.entries[i]);
    for (size_t i = 0; i < w.count; i++)
        resolve(&w, &w.entries[i]);
    l->model->has_watchers = w.count > 0;
    for (size_t i = 0; w.count > 0 && i < l->model->count; i++)
        add_field_watchers(l->model, &l->model->classes[i]);
}
