#include "common/model/model_diff.h"

#include <string.h>

#include <json-c/json.h>

#include "common/model/model_internal.h"

/* A comparison, and the lines that it has come to. */
struct diff {
    const struct model *before, *after;
    const struct model_facts *facts;
    struct text *lines;
    enum model_need need;
};

/* ---- Finding the other side ---- */

static const struct model_class *same_class(const struct model *model, const struct model_class *c)
{
    return model_class(model, c->name, strlen(c->name));
}

static const struct model_field *same_field(const struct model_class *c,
                                            const struct model_field *field)
{
    for (size_t i = 0; c && i < c->field_count; i++) {
        if (!strcmp(c->fields[i].column, field->column))
            return &c->fields[i];
    }
    return NULL;
}

static const struct model_index *same_index(const struct model *model,
                                            const struct model_index *index)
{
    const struct model_class *c = same_class(model, index->owner);
    const struct model_index *own;
    size_t count = c ? model_own_indexes(c, &own) : 0;

    for (size_t i = 0; i < count; i++) {
        if (!strcmp(own[i].columns, index->columns))
            return &own[i];
    }
    return NULL;
}

bool model_needs_default(const struct model *before, const struct model_class *after,
                         const struct model_field *field)
{
    const struct model_field *old = same_field(same_class(before, after), field);

    return field->initial && (!old || (field->required && !old->required));
}

static bool differ(const char *a, const char *b)
{
    return !a != !b || (a && strcmp(a, b) != 0);
}

static const char *column_in(const struct model_class *c, const char *name)
{
    const struct model_field *field = c && name ? model_field(c, name, strlen(name)) : NULL;

    return field ? field->column : NULL;
}

static bool has_other_targets(const struct model_field *old, const struct model_field *field)
{
    size_t i = 0;

    while (old->targets[i] && field->targets[i] &&
           !strcmp(old->targets[i]->name, field->targets[i]->name))
        i++;
    return old->targets[i] || field->targets[i];
}

/* The column that refers to the objects which show it: of the join class, or of the target. */
static const char *inverse_column(const struct model_field *field)
{
    return column_in(field->through ? field->through : field->targets[0], field->inverse);
}

/* Does it show other objects than before? */
static bool is_derived_anew(const struct model_field *old, const struct model_field *field)
{
    return has_other_targets(old, field) ||
           differ(old->through ? old->through->name : NULL,
                  field->through ? field->through->name : NULL) ||
           differ(inverse_column(old), inverse_column(field)) ||
           differ(column_in(old->through, old->onward), column_in(field->through, field->onward));
}

bool model_needs_listing(const struct model *before, const struct model_class *after,
                         const struct model_field *field)
{
    const struct model_field *old = same_field(same_class(before, after), field);

    return field->listed && (!old || !old->listed || is_derived_anew(old, field));
}

bool model_needs_index(const struct model *before, const struct model_index *index,
                       const struct model_facts *facts)
{
    const struct model_index *old = same_index(before, index);

    return !facts->is_built(facts->arg, index) || (index->unique && (!old || !old->unique));
}

static bool has_own_objects(const struct diff *d, const struct model_class *c)
{
    return d->facts->has_objects(d->facts->arg, c->name);
}

/* Also of its descendants. */
static bool has_objects(const struct diff *d, const struct model_class *c)
{
    for (size_t i = 0; i < c->concrete_count; i++) {
        if (has_own_objects(d, c->concrete[i]))
            return true;
    }
    return false;
}

/* ---- Telling ---- */

const char *model_need_word(enum model_need need)
{
    static const char *const words[] = {
        [MODEL_RESTART] = "restart", [MODEL_MIGRATE] = "migrate", [MODEL_REFUSE] = "refused"};

    return words[need];
}

/* The rest of the line is the caller's to add. `member` is "" or ".fields." and the like. */
static struct text *tell(struct diff *d, enum model_need need, const struct model_class *c,
                         const char *member, const char *name)
{
    if (need > d->need)
        d->need = need;
    text_addf(d->lines, "%s classes.%s%s%s: ", model_need_word(need), c->name, member, name);
    return d->lines;
}

static struct text *tell_field(struct diff *d, enum model_need need, const struct model_class *c,
                               const struct model_field *field)
{
    return tell(d, need, c, ".fields.", field->name);
}

/* ---- Fields ---- */

static void compare_new_field(struct diff *d, const struct model_class *c,
                              const struct model_field *field)
{
    const bool used = has_objects(d, c);

    if (used && field->listed)
        text_add(tell_field(d, MODEL_MIGRATE, c, field), "new, and listed\n");
    else if (used && field->initial)
        text_add(tell_field(d, MODEL_MIGRATE, c, field), "new, objects get its default\n");
    else if (used && field->required)
        text_add(tell_field(d, MODEL_REFUSE, c, field),
                 "new and required, but objects that there are get no value without a default\n");
    else
        text_add(tell_field(d, MODEL_RESTART, c, field), "new\n");
}

static void compare_required(struct diff *d, const struct model_class *c,
                             const struct model_field *old, const struct model_field *field)
{
    if (field->required == old->required)
        return;
    if (!field->required)
        text_add(tell_field(d, MODEL_RESTART, c, field), "no longer required\n");
    else if (!has_objects(d, c))
        text_add(tell_field(d, MODEL_RESTART, c, field), "now required\n");
    else if (field->initial)
        text_add(tell_field(d, MODEL_MIGRATE, c, field),
                 "now required, objects where it is null get its default\n");
    else
        text_add(tell_field(d, MODEL_REFUSE, c, field),
                 "now required, but objects where it is null get no value without a default\n");
}

static void compare_listed(struct diff *d, const struct model_class *c,
                           const struct model_field *old, const struct model_field *field)
{
    if (model_needs_listing(d->before, c, field) && has_objects(d, c))
        text_add(tell_field(d, MODEL_MIGRATE, c, field),
                 old->listed ? "lists other objects\n" : "now listed\n");
    else if (old->listed && !field->listed)
        text_add(tell_field(d, MODEL_RESTART, c, field), "no longer listed\n");
}

static void compare_field(struct diff *d, const struct model_class *c,
                          const struct model_field *old, const struct model_field *field)
{
    if (strcmp(old->name, field->name) != 0)
        text_addf(tell_field(d, MODEL_RESTART, c, field), "renamed, it was %s\n", old->name);
    if (old->type == FIELD_TO_MANY && field->type == FIELD_TO_MANY)
        compare_listed(d, c, old, field);
    else if (old->type == field->type)
        compare_required(d, c, old, field);
    else if (has_objects(d, c))
        text_add(tell_field(d, MODEL_REFUSE, c, field),
                 "another type; give a field of another type another column\n");
    else
        text_add(tell_field(d, MODEL_RESTART, c, field), "another type\n");
}

/* Inherited fields are those of the parent's own lines. */
static const struct model_field *own_fields(const struct model_class *c, size_t *count)
{
    const size_t inherited = c->parent ? c->parent->field_count : 0;

    *count = c->field_count - inherited;
    return c->fields + inherited;
}

static void compare_fields(struct diff *d, const struct model_class *old,
                           const struct model_class *c)
{
    size_t count;
    const struct model_field *own = own_fields(c, &count);

    for (size_t i = 0; i < count; i++) {
        const struct model_field *before = same_field(old, &own[i]);

        if (before)
            compare_field(d, c, before, &own[i]);
        else
            compare_new_field(d, c, &own[i]);
    }
    own = own_fields(old, &count);
    for (size_t i = 0; i < count; i++) {
        if (!same_field(c, &own[i]))
            text_add(tell_field(d, MODEL_RESTART, c, &own[i]),
                     "removed, its values stay and are not shown\n");
    }
}

/* ---- Indexes ---- */

static struct text *tell_index(struct diff *d, enum model_need need, const struct model_class *c,
                               const struct model_index *index)
{
    return tell(d, need, c, ".indexes: on ", index->name);
}

static void compare_index(struct diff *d, const struct model_class *c,
                          const struct model_index *index)
{
    const struct model_index *old = same_index(d->before, index);

    if (!d->facts->is_built(d->facts->arg, index))
        text_add(tell_index(d, MODEL_MIGRATE, c, index), old ? "not built\n" : "new\n");
    else if (index->unique && !(old && old->unique))
        text_add(tell_index(d, MODEL_MIGRATE, c, index), "now unique\n");
    else if (old && old->unique && !index->unique)
        text_add(tell_index(d, MODEL_RESTART, c, index), "no longer unique\n");
}

static void compare_indexes(struct diff *d, const struct model_class *old,
                            const struct model_class *c)
{
    const struct model_index *own;
    size_t count = model_own_indexes(c, &own);

    for (size_t i = 0; i < count; i++)
        compare_index(d, c, &own[i]);
    count = old ? model_own_indexes(old, &own) : 0;
    for (size_t i = 0; i < count; i++) {
        if (!same_index(d->after, &own[i]))
            text_add(tell_index(d, MODEL_RESTART, c, &own[i]), "dropped\n");
    }
}

/* ---- What only agents look at ---- */

static struct json_object *row_of(const struct model *model, const struct model_class *c)
{
    return json_object_object_get(json_object_object_get(model->tree, "classes"), c->name);
}

static void compare_shown(struct diff *d, const struct model_class *old,
                          const struct model_class *c)
{
    static const char *const members[] = {"summary", "children"};

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (!json_object_equal(json_object_object_get(row_of(d->before, old), members[i]),
                               json_object_object_get(row_of(d->after, c), members[i])))
            text_add(tell(d, MODEL_RESTART, c, ".", members[i]), "changed\n");
    }
}

/* The watchers or queries that the class itself declares. */
static void compare_derived(struct diff *d, const struct model_class *old,
                            const struct model_class *c, const char *member)
{
    struct json_object *before = json_object_object_get(row_of(d->before, old), member);
    struct json_object *after = json_object_object_get(row_of(d->after, c), member);
    _cleanup_(text_deinitp) struct text place = {0};
    struct json_object_iter row;

    text_addf(&place, ".%s.", member);
    if (after) {
        json_object_object_foreachC(after, row)
        {
            struct json_object *was = json_object_object_get(before, row.key);

            if (!json_object_equal(row.val, was))
                text_add(tell(d, MODEL_RESTART, c, place.at, row.key), was ? "changed\n" : "new\n");
        }
    }
    if (before) {
        json_object_object_foreachC(before, row)
        {
            if (!json_object_object_get(after, row.key))
                text_add(tell(d, MODEL_RESTART, c, place.at, row.key), "removed\n");
        }
    }
}

static void compare_login(struct diff *d)
{
    static const char *const members[] = {"entryPoints", "clientConfig"};

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (!json_object_equal(json_object_object_get(d->before->tree, members[i]),
                               json_object_object_get(d->after->tree, members[i])))
            text_addf(d->lines, "%s %s: changed\n", model_need_word(MODEL_RESTART), members[i]);
    }
}

/* ---- Classes ---- */

static const char *parent_name(const struct model_class *c)
{
    return c->parent ? c->parent->name : "";
}

/* What the keys of the store are made of: it cannot change under objects. */
static void compare_head(struct diff *d, const struct model_class *old, const struct model_class *c)
{
    const bool used = has_objects(d, old);
    const enum model_need need = used ? MODEL_REFUSE : MODEL_RESTART;
    const char *rest = used ? ", but there are objects\n" : "\n";

    if (old->id != c->id)
        text_addf(tell(d, need, c, "", ".id"), "another kind of ID%s", rest);
    if (strcmp(parent_name(old), parent_name(c)) != 0)
        text_addf(tell(d, need, c, "", ".parent"), "another parent%s", rest);
    if (c->abstract && !old->abstract && has_own_objects(d, old))
        text_add(tell(d, MODEL_REFUSE, c, "", ".abstract"), "now abstract, but has objects\n");
}

/* Objects of a class that was removed once are still there when it comes back. */
static void compare_new_class(struct diff *d, const struct model_class *c)
{
    size_t count;
    const struct model_field *own = own_fields(c, &count);

    text_add(tell(d, MODEL_RESTART, c, "", ""), "new\n");
    for (size_t i = 0; i < count && has_objects(d, c); i++)
        compare_new_field(d, c, &own[i]);
}

static void compare_classes(struct diff *d)
{
    for (size_t i = 0; i < model_class_count(d->after); i++) {
        const struct model_class *c = model_class_at(d->after, i), *old = same_class(d->before, c);

        if (old) {
            compare_head(d, old, c);
            compare_fields(d, old, c);
            compare_shown(d, old, c);
            compare_derived(d, old, c, "watchers");
            compare_derived(d, old, c, "queries");
        } else {
            compare_new_class(d, c);
        }
        compare_indexes(d, old, c);
    }
    for (size_t i = 0; i < model_class_count(d->before); i++) {
        const struct model_class *c = model_class_at(d->before, i);

        if (!same_class(d->after, c))
            text_add(tell(d, MODEL_RESTART, c, "", ""),
                     "removed, its objects stay and are not shown\n");
    }
}

/* Users are bound to objects of this class by their id in this field. */
static void compare_anchor(struct diff *d)
{
    const struct model_class *old = model_anchor(d->before), *c = model_anchor(d->after);
    const bool same = old && c && !strcmp(old->name, c->name) &&
                      !strcmp(old->anchor_field->column, c->anchor_field->column);

    if (old && !same)
        text_addf(tell(d, has_objects(d, old) ? MODEL_REFUSE : MODEL_RESTART, old, "", ".anchor"),
                  "its objects stand for users, which cannot change while there are some\n");
}

enum model_need model_diff(const struct model *before, const struct model *after,
                           const struct model_facts *facts, struct text *lines)
{
    struct diff d = {before, after, facts, lines, MODEL_RESTART};
    const size_t size = lines->size;

    compare_classes(&d);
    compare_anchor(&d);
    compare_login(&d);
    if (lines->size == size && strcmp(model_digest(before), model_digest(after)) != 0)
        text_addf(lines, "%s classes: rights, values or order\n", model_need_word(MODEL_RESTART));
    return d.need;
}
