#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_content.h"
#include "common/model/model_load.h"

/* What the content protocol shows of an object on a page, and which pages an object has: its
 * children, in the orders of its views. */

/* Pages are read in one step of the store. */
#define PAGE_MAX 250

/* ---- Summaries ---- */

static bool is_before(const struct model_field *const *fields, size_t count,
                      const struct model_field *field)
{
    while (count > 0 && fields[count - 1] != field)
        count--;
    return count > 0;
}

static void check_summary_field(struct loading *l, const struct model_class *c, const char *name,
                                const char *path)
{
    const struct model_field *field = model_find_field(c, name);

    if (!field)
        text_addf(l->problems, "%s.summary: %s has no field %s\n", path, c->name, name);
    else if (!model_in_content(c, field))
        text_addf(l->problems, "%s.summary: %s is no part of the content\n", path, name);
    else if (model_hides(field))
        text_addf(l->problems, "%s.summary: not everyone may read %s, and pages would show it\n",
                  path, name);
}

/* Its parent's, which the class has copies of. */
static void inherit_summary(struct model *model, struct model_class *c)
{
    const struct model_field **fields;
    size_t count = 0;

    while (c->parent->summary[count])
        count++;
    fields = model_alloc(model, count + 1, sizeof(struct model_field *));
    for (size_t i = 0; i < count; i++)
        fields[i] = model_find_field(c, c->parent->summary[i]->name);
    c->summary = fields;
}

void model_load_summary(struct loading *l, struct model_class *c)
{
    _cleanup_(text_deinitp) struct text path = {0};
    struct json_object *given = NULL;
    const struct model_field **fields;
    const char *const *names;
    size_t count = 0;

    model_class_path(&path, c, "");
    if (json_get_array(model_row_of(l, c), path.at, "summary", false, &given, l->problems)) {
        if (c->parent && c->parent->summary)
            inherit_summary(l->model, c);
        return;
    }
    names = model_get_words(l, given, path.at, "summary");
    fields = model_alloc(l->model, json_object_array_length(given) + 1, sizeof(*fields));
    for (; *names; names++) {
        const struct model_field *field = model_find_field(c, *names);

        check_summary_field(l, c, *names, path.at);
        if (field && is_before(fields, count, field))
            text_addf(l->problems, "%s.summary: %s stands there twice\n", path.at, *names);
        else if (field)
            fields[count++] = field;
    }
    c->summary = fields;
}

/* ---- Views ---- */

static bool is_known(const struct model_class *const *members, const char *name)
{
    while (*members && !model_find_field(*members, name))
        members++;
    return *members != NULL;
}

/* Ranks are those of strings, and nothing that the field cannot be. */
static void check_rank(struct loading *l, const struct model_field *field, const char *rank,
                       const char *path)
{
    const char *const *value = field->values;

    while (value && *value && strcmp(*value, rank) != 0)
        value++;
    if (field->type != FIELD_STRING || (value && !*value))
        text_addf(l->problems, "%s.ranks: %s is no value of %s\n", path, rank, field->name);
}

static void check_sorted(struct loading *l, const struct model_class *member,
                         const struct model_sort *sort, const char *path)
{
    const struct model_field *field = model_sort_field(sort, member);
    const char *const *rank = sort->ranks;

    if (!field)
        return;
    if (!model_can_index(field) || field->type == FIELD_TO_ONE)
        text_addf(l->problems, "%s.by: %s of %s is json or a relation, which have no order\n", path,
                  field->name, member->name);
    if (model_hides(field))
        text_addf(l->problems,
                  "%s.by: not everyone may read %s of %s, and the order would show it\n", path,
                  field->name, member->name);
    for (; rank && *rank; rank++)
        check_rank(l, field, *rank, path);
}

static void check_sort(struct loading *l, const struct model_children *children,
                       const struct model_sort *sort, const char *path)
{
    for (const char *const *name = sort->by; *name; name++) {
        if (!is_known(children->members, *name))
            text_addf(l->problems, "%s.by: no child has a field %s\n", path, *name);
    }
    for (const struct model_class *const *member = children->members; *member; member++)
        check_sorted(l, *member, sort, path);
}

static void check_words(struct loading *l, const char *const *words, const char *path,
                        const char *member)
{
    for (size_t i = 0; words && words[i]; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(words[i], words[j]) == 0)
                text_addf(l->problems, "%s.%s: %s stands there twice\n", path, member, words[i]);
        }
    }
}

/* "by" is a name, or an array of names. */
static void load_by(struct loading *l, struct json_object *row, const char *path,
                    struct model_sort *sort)
{
    struct json_object *given = json_object_object_get(row, "by");
    const char **one;

    if (json_object_is_type(given, json_type_array)) {
        sort->by = model_get_words(l, given, path, "by");
        return;
    }
    one = model_alloc(l->model, 2, sizeof(*one));
    one[0] = model_get_string(l, row, path, "by", true);
    sort->by = one;
}

static void load_sort(struct loading *l, const struct model_children *children,
                      struct json_object *row, const char *path, struct model_sort *sort)
{
    static const char *const members[] = {"by", "ranks", "descending", NULL};
    struct json_object *ranks = NULL;

    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path);
        return;
    }
    json_get_only(row, path, members, l->problems);
    load_by(l, row, path, sort);
    if (!json_get_array(row, path, "ranks", false, &ranks, l->problems))
        sort->ranks = model_get_words(l, ranks, path, "ranks");
    sort->descending = model_get_flag(l, row, path, "descending");
    check_words(l, sort->by, path, "by");
    check_words(l, sort->ranks, path, "ranks");
    check_sort(l, children, sort, path);
}

static void load_order(struct loading *l, const struct model_children *children,
                       struct json_object *row, const char *path, struct model_view *view)
{
    _cleanup_(text_deinitp) struct text item = {0};
    struct json_object *order = NULL;
    struct model_sort *sorts;

    if (json_get_array(row, path, "order", true, &order, l->problems))
        return;
    view->sort_count = json_object_array_length(order);
    if (view->sort_count == 0)
        model_tell(l, path, "order", "expected one step or more");
    sorts = model_alloc(l->model, view->sort_count, sizeof(*sorts));
    view->sorts = sorts;
    for (size_t i = 0; i < view->sort_count; i++) {
        text_clear(&item);
        text_addf(&item, "%s.order[%zu]", path, i);
        load_sort(l, children, json_object_array_get_idx(order, i), item.at, &sorts[i]);
    }
}

static void load_size(struct loading *l, struct json_object *row, const char *path,
                      struct model_view *view)
{
    struct json_object *given = json_object_object_get(row, "size");
    const int64_t size =
        json_object_is_type(given, json_type_int) ? json_object_get_int64(given) : 0;

    if (size >= 1 && size <= PAGE_MAX)
        view->size = (size_t)size;
    else
        text_addf(l->problems, "%s.size: expected an integer from 1 to %d\n", path, PAGE_MAX);
}

static void load_view(struct loading *l, const struct model_children *children,
                      struct json_object *row, const char *path, struct model_view *view)
{
    static const char *const members[] = {"size", "order", NULL};

    if (!model_is_name(view->name, "-"))
        text_addf(l->problems, "%s: a view has a name of letters, digits, - and _\n", path);
    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path);
        return;
    }
    json_get_only(row, path, members, l->problems);
    load_size(l, row, path, view);
    load_order(l, children, row, path, view);
}

static void load_views(struct loading *l, struct json_object *row, const char *path,
                       struct model_children *children)
{
    _cleanup_(text_deinitp) struct text item = {0};
    struct json_object *given = NULL;
    struct json_object_iter view;
    struct model_view *views;

    if (json_get_object(row, path, "views", true, &given, l->problems))
        return;
    views = model_alloc(l->model, (size_t)json_object_object_length(given), sizeof(*views));
    children->views = views;
    json_object_object_foreachC(given, view)
    {
        text_clear(&item);
        text_addf(&item, "%s.views.%s", path, view.key);
        views->name = view.key;
        load_view(l, children, view.val, item.at, views++);
        children->view_count++;
    }
}

/* ---- Children ---- */

/* Without a type an object has no key, and pages show keys. */
static void check_members(struct loading *l, const struct model_children *children,
                          const char *path)
{
    for (const struct model_class *const *member = children->members; *member; member++) {
        if (!(*member)->type)
            text_addf(l->problems, "%s: %s has no type, so its objects have no keys\n", path,
                      (*member)->name);
    }
    model_check_readable(l, children->members, path, "pages would show its objects");
}

/* False: there is none. */
static bool load_relation(struct loading *l, const struct model_class *c, struct json_object *row,
                          const char *path, struct model_children *children)
{
    const char *name = model_get_string(l, row, path, "relation", true);
    const struct model_field *field = model_find_field(c, name);
    _cleanup_(text_deinitp) struct text place = {0};

    if (!name)
        return false;
    if (!field || (field->type != FIELD_LIST && field->type != FIELD_TO_MANY)) {
        model_tell(l, path, "relation", "expected the name of a list or toMany of this class");
        return false;
    }
    children->relation = field;
    children->members = model_concrete_of(l->model, field->targets);
    text_addf(&place, "%s.relation", path);
    check_members(l, children, place.at);
    model_check_shown(l, field, place.at);
    return true;
}

static void inherit_children(struct model *model, struct model_class *c)
{
    struct model_children *children = model_alloc(model, 1, sizeof(*children));

    *children = *c->parent->children;
    children->relation = model_find_field(c, children->relation->name);
    c->children = children;
}

void model_load_children(struct loading *l, struct model_class *c)
{
    static const char *const members[] = {"relation", "views", NULL};
    _cleanup_(text_deinitp) struct text path = {0};
    struct model_children *children;
    struct json_object *row = NULL;

    model_class_path(&path, c, "");
    if (json_get_object(model_row_of(l, c), path.at, "children", false, &row, l->problems)) {
        if (c->parent && c->parent->children)
            inherit_children(l->model, c);
        return;
    }
    text_add(&path, ".children");
    json_get_only(row, path.at, members, l->problems);
    children = model_alloc(l->model, 1, sizeof(*children));
    if (!load_relation(l, c, row, path.at, children))
        return;
    load_views(l, row, path.at, children);
    c->children = children;
    if (!c->type && !c->abstract)
        text_addf(l->problems, "%s: %s has no type, so nobody can ask for them\n", path.at,
                  c->name);
}
