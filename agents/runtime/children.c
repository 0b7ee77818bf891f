#include "agents/runtime/children.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/view.h"

/* What belongs to one class. */
struct children_row {
    const struct model_class *class_; /* NULL: all of the model */
    struct redis_call args;
};

struct children {
    struct children_row *rows; /* the first is that of the model */
    size_t count;
};

static bool has_class(const struct model_class *const *classes, const struct model_class *c)
{
    while (*classes && *classes != c)
        classes++;
    return *classes != NULL;
}

static bool is_owner(const struct model_class *c)
{
    return !c->abstract && c->children && c->children->view_count > 0;
}

/* ---- How children are known ---- */

static bool by_id(const struct model_field *relation)
{
    return relation->type == FIELD_TO_MANY && !strcmp(relation->inverse, "ID");
}

static const char *kind_of(const struct model_field *relation)
{
    if (relation->type == FIELD_LIST)
        return "list";
    if (by_id(relation))
        return "id";
    return relation->through ? "through" : "inverse";
}

static const char *column_of(const struct model_class *c, const char *field)
{
    return model_field(c, field, strlen(field))->column;
}

/* Class, column, and column onward of what refers. */
static void add_source(struct redis_call *call, const struct model_class *c, const char *field,
                       const char *onward)
{
    redis_call_arg(call, c->name);
    redis_call_arg(call, column_of(c, field));
    redis_call_arg(call, onward ? column_of(c, onward) : "");
}

static int64_t count_of(const struct model_class *const *classes)
{
    int64_t count = 0;

    while (classes[count])
        count++;
    return count;
}

static void add_sources(struct redis_call *call, const struct model_class *owner)
{
    const struct model_class *const *members = owner->children->members;
    const struct model_field *relation = owner->children->relation;
    const struct model_class *join = relation->through;

    if (relation->type == FIELD_LIST) {
        redis_call_arg_i64(call, 3);
        add_source(call, owner, relation->name, NULL);
    } else if (by_id(relation)) {
        redis_call_arg_i64(call, 0);
    } else if (join) {
        redis_call_arg_i64(call, (int64_t)join->concrete_count * 3);
        for (size_t i = 0; i < join->concrete_count; i++)
            add_source(call, join->concrete[i], relation->inverse, relation->onward);
    } else {
        redis_call_arg_i64(call, count_of(members) * 3);
        for (; *members; members++)
            add_source(call, *members, relation->inverse, NULL);
    }
}

static void add_relation(struct redis_call *call, const struct model_class *owner)
{
    const struct model_class *const *members = owner->children->members;

    redis_call_arg(call, owner->name);
    redis_call_arg(call, view_id_kind(owner));
    redis_call_arg(call, kind_of(owner->children->relation));
    add_sources(call, owner);
    redis_call_arg_i64(call, count_of(members));
    for (; *members; members++)
        redis_call_arg(call, (*members)->name);
}

/* ---- What is shown of them ---- */

/* Is this one of the fields by which some view of the owner sorts objects of the class? */
static bool sorts_by(const struct model_children *children, const struct model_class *c,
                     const struct model_field *field)
{
    for (size_t i = 0; i < children->view_count; i++) {
        const struct model_view *view = &children->views[i];

        for (size_t j = 0; j < view->sort_count; j++) {
            if (model_sort_field(&view->sorts[j], c) == field)
                return true;
        }
    }
    return false;
}

static bool is_sorted_by(const struct model *model, const struct model_class *c,
                         const struct model_field *field)
{
    for (size_t i = 0; i < model_class_count(model); i++) {
        const struct model_class *owner = model_class_at(model, i);

        if (is_owner(owner) && has_class(owner->children->members, c) &&
            sorts_by(owner->children, c, field))
            return true;
    }
    return false;
}

static void add_sorted(struct redis_call *call, const struct model *model,
                       const struct model_class *c)
{
    int64_t count = 0;

    for (size_t i = 0; i < c->field_count; i++)
        count += is_sorted_by(model, c, &c->fields[i]);
    redis_call_arg_i64(call, count);
    for (size_t i = 0; count && i < c->field_count; i++) {
        if (is_sorted_by(model, c, &c->fields[i]))
            redis_call_arg(call, c->fields[i].column);
    }
}

/* ---- Whom a write concerns ---- */

/* Objects of the class refer to something, or are referred to, in a way that makes children. */
static bool takes_part(const struct model_class *owner, const struct model_class *c)
{
    const struct model_class *join = owner->children->relation->through;

    return owner == c || has_class(owner->children->members, c) || (join && model_is_a(c, join));
}

/* Does a write of `c` (NULL: of any class) change objects of the other class? Of its own; and what
 * shows it in a listed field changes with it. */
static bool writes(const struct model_class *c, const struct model_class *other)
{
    if (!c || c == other)
        return true;
    for (size_t i = 0; i < c->listing_count; i++) {
        if (model_is_a(other, c->listings[i]->owner))
            return true;
    }
    return false;
}

static bool concerns(const struct model *model, const struct model_class *owner,
                     const struct model_class *c)
{
    for (size_t i = 0; i < model_class_count(model); i++) {
        const struct model_class *other = model_class_at(model, i);

        if (writes(c, other) && takes_part(owner, other))
            return true;
    }
    return false;
}

static bool is_child(const struct model *model, const struct model_class *c)
{
    for (size_t i = 0; i < model_class_count(model); i++) {
        const struct model_class *owner = model_class_at(model, i);

        if (is_owner(owner) && has_class(owner->children->members, c))
            return true;
    }
    return false;
}

/* ---- Arguments ---- */

/* Their number; only counted when `call` is NULL. */
static int64_t add_relations(struct redis_call *call, const struct model *model,
                             const struct model_class *c)
{
    int64_t count = 0;

    for (size_t i = 0; i < model_class_count(model); i++) {
        const struct model_class *owner = model_class_at(model, i);

        if (!is_owner(owner) || !concerns(model, owner, c))
            continue;
        count++;
        if (call)
            add_relation(call, owner);
    }
    return count;
}

static int64_t add_shown(struct redis_call *call, const struct model *model,
                         const struct model_class *c)
{
    int64_t count = 0;

    for (size_t i = 0; i < model_class_count(model); i++) {
        const struct model_class *child = model_class_at(model, i);

        if (!is_child(model, child) || !writes(c, child))
            continue;
        count++;
        if (!call)
            continue;
        redis_call_arg(call, child->name);
        add_sorted(call, model, child);
        view_add_summary(call, child);
    }
    return count;
}

static void make_args(struct redis_call *call, const struct model *model,
                      const struct model_class *c)
{
    int64_t count = add_relations(NULL, model, c);

    redis_call_begin(call, NULL);
    redis_call_arg_i64(call, count);
    if (!count)
        return;
    (void)add_relations(call, model, c);
    redis_call_arg_i64(call, add_shown(NULL, model, c));
    (void)add_shown(call, model, c);
}

void children_add_args(struct redis_call *call, const struct children *children,
                       const struct model_class *c)
{
    const struct children_row *row = children->rows;
    size_t from = 0;

    while (row->class_ != c)
        row++;
    for (size_t i = 0; i < row->args.count; i++) {
        redis_call_arg_bytes(call, row->args.args.at + from, row->args.ends[i] - from);
        from = row->args.ends[i];
    }
}

/* ---- Together ---- */

struct children *children_create(const struct model *model)
{
    struct children *children = calloc(1, sizeof(*children));

    if (!children)
        err_out_of_memory();
    children->count = model_class_count(model) + 1;
    children->rows = calloc(children->count, sizeof(*children->rows));
    if (!children->rows)
        err_out_of_memory();
    for (size_t i = 0; i < children->count; i++) {
        children->rows[i].class_ = i ? model_class_at(model, i - 1) : NULL;
        make_args(&children->rows[i].args, model, children->rows[i].class_);
    }
    return children;
}

void children_destroy(struct children *children)
{
    if (!children)
        return;
    for (size_t i = 0; i < children->count; i++)
        redis_call_deinit(&children->rows[i].args);
    free(children->rows);
    free(children);
}
