#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load_watch.h"

/* Ways along relations, step by step. */

static bool is_source(const struct model_field *field)
{
    return field->type == FIELD_TO_ONE || field->type == FIELD_LIST;
}

static void add_step(struct model_way *way, enum step_kind kind, const struct model_term *term,
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

static void step_out(struct model_way *way, const struct model_term *term)
{
    way->many = way->many || term->type == FIELD_LIST;
    add_step(way, STEP_OUT, term, targets_of(way->l->model, term));
}

/* To the objects of these classes that refer here by the field `name`. */
static bool step_in(struct model_way *way, const struct model_class *const *classes,
                    const char *name, const char *path)
{
    struct model_term term = {0};

    if (!model_load_term(way->l, classes, name, path, &term))
        return false;
    way->many = true;
    add_step(way, STEP_IN, &term, classes);
    return true;
}

/* A to-many is walked as it is derived. */
static bool step_derived(struct model_way *way, const struct model_field *field, const char *path)
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

static bool step_by_name(struct model_way *way, const char *name, const char *path)
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
    else if (!field->inverse || (field->through && !field->onward))
        return false; /* told where the field is */
    else if (!strcmp(field->inverse, "ID"))
        text_addf(way->l->problems, "%s: what is found by its ID cannot be walked to\n", path);
    else
        return step_derived(way, field, path);
    return false;
}

/* May some field of the term refer to something that is reached? */
static bool refers_here(const struct model_way *way, const struct model_field *field)
{
    const struct model_class *const *c = way->reached;

    while (*c && !model_may_refer(field, *c))
        c++;
    return *c != NULL;
}

/* {"class": "com.app.mo.Task", "by": "assignee"} */
static bool step_by_class(struct model_way *way, struct json_object *row, const char *path)
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

static void load_step(struct model_way *way, struct json_object *step, const char *path)
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

size_t model_load_way(struct model_way *way, struct json_object *row, const char *path,
                      const char *member)
{
    _cleanup_(text_deinitp) struct text place = {0};
    size_t count;
    struct json_object *given = model_get_items(way->l, row, path, member, &count);

    way->steps = model_alloc(way->l->model, 2 * count, sizeof(*way->steps));
    for (size_t i = 0; way->reached && i < count; i++) {
        model_item_path(&place, path, member, i);
        load_step(way, json_object_array_get_idx(given, i), place.at);
    }
    return count;
}
