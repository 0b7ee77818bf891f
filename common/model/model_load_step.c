#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load_watch.h"

/* The way of a watcher, step by step along relations. */

struct way {
    struct loading *l;
    const struct model_class *const *reached; /* so far; NULL: a step was wrong */
    struct model_step *steps;
    size_t count;
    bool many; /* may one object lead to several? */
};

static bool is_source(const struct model_field *field)
{
    return field->type == FIELD_TO_ONE || field->type == FIELD_LIST;
}

static void add_step(struct way *way, enum step_kind kind, const struct model_term *term,
                     const struct model_class *const *reached)
{
    way->steps[way->count++] =
        (struct model_step){kind, term->origins, term->origin_count, reached};
    way->reached = reached;
}

/* What the fields may refer to. */
static const struct model_class *const *targets_of(struct model *model,
                                                   const struct model_term *term)
{
    const struct model_class **all;
    size_t count = 0;

    for (size_t i = 0; i < term->origin_count; i++)
        for (const struct model_class *const *t = term->origins[i].field->targets; *t; t++)
            count++;
    all = model_alloc(model, count + 1, sizeof(*all));
    for (size_t i = 0; i < term->origin_count; i++)
        for (const struct model_class *const *t = term->origins[i].field->targets; *t; t++)
            all[--count] = *t;
    return model_concrete_of(model, all);
}

static void step_out(struct way *way, const struct model_term *term)
{
    way->many = way->many || term->type == FIELD_LIST;
    add_step(way, STEP_OUT, term, targets_of(way->l->model, term));
}

/* To the objects of these classes that refer here by the field `name`. */
static bool step_in(struct way *way, const struct model_class *const *classes, const char *name,
                    const char *path)
{
    struct model_term term = {0};

    if (!model_load_term(way->l, classes, name, path, &term))
        return false;
    way->many = true;
    add_step(way, STEP_IN, &term, classes);
    return true;
}

/* A to-many is walked as it is derived. */
static bool step_derived(struct way *way, const struct model_field *field, const char *path)
{
    const struct model_class *const join[] = {field->through, NULL};
    struct model_term onward = {0};

    if (!field->through)
        return step_in(way, model_concrete_of(way->l->model, field->targets), field->inverse, path);
    if (!step_in(way, model_concrete_of(way->l->model, join), field->inverse, path) ||
        !model_load_term(way->l, way->reached, field->onward, path, &onward))
        return false;
    step_out(way, &onward);
    return true;
}

/* Of one to-many: all that have it have it from one class. */
static bool is_declared_once(const struct model_term *term)
{
    size_t i = 1;

    while (i < term->origin_count &&
           term->origins[i].field->targets == term->origins[0].field->targets)
        i++;
    return i >= term->origin_count;
}

static bool step_by_name(struct way *way, const char *name, const char *path)
{
    struct model_term term = {0};
    const struct model_field *field;

    if (!model_load_term(way->l, way->reached, name, path, &term))
        return false;
    field = term.origins[0].field;
    if (is_source(field)) {
        step_out(way, &term);
        return true;
    }
    if (field->type != FIELD_TO_MANY)
        text_addf(way->l->problems, "%s: %s is no relation\n", path, name);
    else if (!is_declared_once(&term))
        text_addf(way->l->problems,
                  "%s: several classes have a toMany %s; say which class, and by what\n", path,
                  name);
    else if (!strcmp(field->inverse, "ID"))
        text_addf(way->l->problems, "%s: what is found by its ID cannot be walked to\n", path);
    else
        return step_derived(way, field, path);
    return false;
}

/* May some field of the term refer to something that is reached? */
static bool refers_here(const struct way *way, const struct model_field *field)
{
    const struct model_class *const *c = way->reached;

    while (*c && !model_may_refer(field, *c))
        c++;
    return *c != NULL;
}

/* {"class": "com.app.mo.Task", "by": "assignee"} */
static bool step_by_class(struct way *way, struct json_object *row, const char *path)
{
    static const char *const members[] = {"class", "by", NULL};
    const char *name = model_get_string(way->l, row, path, "class", true);
    const char *by = model_get_string(way->l, row, path, "by", true);
    const struct model_class *of[] = {NULL, NULL};
    const struct model_field *field;

    json_get_only(row, path, members, way->l->problems);
    if (!name || !by || !(of[0] = model_find_class(way->l, path, "class", name)))
        return false;
    field = model_find_field(of[0], by);
    if (!field || !is_source(field) || !refers_here(way, field)) {
        model_tell(way->l, path, "by", "no toOne or list of that class that refers here");
        return false;
    }
    return step_in(way, model_concrete_of(way->l->model, of), by, path);
}

static void load_step(struct way *way, struct json_object *step, const char *path)
{
    bool done = false;

    if (json_object_is_type(step, json_type_string))
        done = step_by_name(way, json_object_get_string(step), path);
    else if (json_object_is_type(step, json_type_object))
        done = step_by_class(way, step, path);
    else
        text_addf(way->l->problems, "%s: expected a relation, or {\"class\", \"by\"}\n", path);
    if (!done)
        way->reached = NULL;
}

void model_load_steps(struct loading *l, struct json_object *row, const char *path,
                      struct model_watcher *watcher)
{
    const struct model_class *const start[] = {watcher->owner, NULL};
    struct way way = {.l = l, .reached = model_concrete_of(l->model, start)};
    _cleanup_(text_deinitp) struct text place = {0};
    size_t count;
    struct json_object *given = model_get_items(l, row, path, "of", &count);

    way.steps = model_alloc(l->model, 2 * count, sizeof(*way.steps));
    for (size_t i = 0; way.reached && i < count; i++) {
        model_item_path(&place, path, "of", i);
        load_step(&way, json_object_array_get_idx(given, i), place.at);
    }
    if (count == 0 && watcher->value != WATCH_PATH)
        model_tell(l, path, "of", "expected one step or more");
    watcher->steps = way.steps;
    watcher->step_count = way.count;
    watcher->reached = way.reached;
    watcher->many = watcher->value == WATCH_PATH && way.many;
}
