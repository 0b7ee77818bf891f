#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load_rule.h"
#include "common/model/model_watch.h"

/* Who may do what with the objects of a class, and with a field of theirs. */

/* ---- Of a class ---- */

static struct json_object *access_of(const struct loading *l, const struct model_class *c)
{
    return json_object_object_get(model_row_of(l, c), "access");
}

/* Who may change an object may give it children, unless it or a parent says otherwise. */
static void complete_add_child(const struct loading *l, struct model_class *c)
{
    const struct model_class *giver = c;

    do {
        if (json_object_object_get(access_of(l, giver), "addChild"))
            return;
        giver = giver->parent;
    } while (giver);
    c->rules[ACTION_ADD_CHILD] = c->rules[ACTION_UPDATE];
}

static void check_create(struct loading *l, const struct model_class *c)
{
    const struct model_rule *rule = &c->rules[ACTION_CREATE];
    _cleanup_(text_deinitp) struct text path = {0};

    model_class_path(&path, c, ".access.create");
    for (size_t i = 0; i < rule->count; i++) {
        const struct model_rule_alternative *one = &rule->alternatives[i];

        if (one->column && strcmp(one->column, MODEL_USER_COLUMN) == 0)
            text_addf(l->problems, "%s: what is not made yet belongs to nobody\n", path.at);
        if (one->step_count > 0 && one->steps[0].kind == STEP_IN)
            text_addf(l->problems, "%s: nothing refers to what is not made yet\n", path.at);
    }
}

void model_load_rules(struct loading *l, struct model_class *c)
{
    static const char *const actions[] = {
        [ACTION_READ] = "read",     [ACTION_CREATE] = "create",      [ACTION_UPDATE] = "update",
        [ACTION_REMOVE] = "remove", [ACTION_ADD_CHILD] = "addChild", [ACTION_COUNT] = NULL};
    _cleanup_(text_deinitp) struct text path = {0};
    struct json_object *access = NULL;

    for (size_t i = 0; !c->parent && i < ACTION_COUNT; i++)
        model_set_rule(l, RULE_NOBODY, &c->rules[i]);
    if (c->parent)
        memcpy(c->rules, c->parent->rules, sizeof(c->rules));
    model_class_path(&path, c, "");
    if (json_get_object(model_row_of(l, c), path.at, "access", false, &access, l->problems))
        access = NULL;
    model_class_path(&path, c, ".access");
    json_get_only(access, path.at, actions, l->problems);
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        struct json_object *given = json_object_object_get(access, actions[i]);

        model_class_path(&path, c, ".access.");
        text_add(&path, actions[i]);
        if (given)
            model_load_rule(l, c, given, path.at, &c->rules[i]);
    }
    check_create(l, c);
    complete_add_child(l, c);
}

/* ---- Of a field ---- */

struct field_rule {
    struct field_rule *next;
    const struct model_class *c; /* that declares the field */
    const struct model_field *field;
    const char *action;        /* NULL: a to-many that is listed, which has no rules in the file */
    struct json_object *given; /* borrowed */
    struct model_rule *rule;
};

/* The rule of the field, which is to be filled. */
static const struct model_rule *note(struct loading *l, const struct field_rule *noted)
{
    struct field_rule *entry = model_alloc(l->model, 1, sizeof(*entry));

    *entry = *noted;
    entry->rule = model_alloc(l->model, 1, sizeof(*entry->rule));
    *(l->last_rule ? &l->last_rule->next : &l->first_rule) = entry;
    l->last_rule = entry;
    return entry->rule;
}

void model_note_access(struct loading *l, const struct model_class *c, struct json_object *row,
                       const char *path, struct model_field *field)
{
    static const char *const actions[] = {"read", "update", NULL};
    const struct model_rule **const rules[] = {&field->read, &field->update};
    struct field_rule noted = {.c = c, .field = field};
    _cleanup_(text_deinitp) struct text place = {0};
    struct json_object *access = NULL;

    if (field->type == FIELD_TO_MANY) {
        field->read = field->listed ? note(l, &noted) : NULL;
        return;
    }
    if (!json_object_is_type(row, json_type_object) ||
        json_get_object(row, path, "access", false, &access, l->problems))
        return;
    text_addf(&place, "%s.access", path);
    json_get_only(access, place.at, actions, l->problems);
    for (size_t i = 0; actions[i]; i++) {
        noted.action = actions[i];
        if (json_object_object_get_ex(access, actions[i], &noted.given))
            *rules[i] = note(l, &noted);
    }
}

/* Who sees the list sees that its members are there. */
static enum rule_kind kind_of_listed(const struct loading *l, const struct model_field *field)
{
    const struct model_class *const *member = model_concrete_of(l->model, field->targets);

    while (*member && model_rule_is_open(&(*member)->rules[ACTION_READ]))
        member++;
    return *member ? RULE_SIGNED_IN : RULE_EVERYONE;
}

static void load_field_rule(struct loading *l, const struct field_rule *noted)
{
    _cleanup_(text_deinitp) struct text path = {0};

    if (!noted->action) {
        model_set_rule(l, kind_of_listed(l, noted->field), noted->rule);
        return;
    }
    model_class_path(&path, noted->c, ".fields.");
    text_addf(&path, "%s.access.%s", noted->field->name, noted->action);
    model_load_rule(l, noted->c, noted->given, path.at, noted->rule);
    if (noted->rule == noted->field->update && noted->field->read_only)
        text_addf(l->problems, "%s: only the server sets the field\n", path.at);
}

void model_load_field_rules(struct loading *l)
{
    const struct model_class *anchor = l->model->anchor;
    _cleanup_(text_deinitp) struct text path = {0};

    for (const struct field_rule *noted = l->first_rule; noted; noted = noted->next)
        load_field_rule(l, noted);
    if (!anchor || !anchor->anchor_field || !model_hides(anchor->anchor_field))
        return;
    model_class_path(&path, anchor, "");
    model_tell(l, path.at, "anchor", "who may read the object must see whose it is");
}

static void check_source(struct loading *l, const struct model_class *source, const char *name,
                         const char *path)
{
    const struct model_field *field = model_find_field(source, name);

    if (field && model_hides(field))
        text_addf(l->problems, "%s: not everyone may read %s of %s, which it would show\n", path,
                  name, source->name);
}

void model_check_shown(struct loading *l, const struct model_field *field, const char *path)
{
    const struct model_class *const join[] = {field->through, NULL};
    const struct model_class *const *source;

    if (model_hides(field))
        text_addf(l->problems, "%s: not everyone may read %s, which would be shown\n", path,
                  field->name);
    if (field->type != FIELD_TO_MANY)
        return;
    source = model_concrete_of(l->model, field->through ? join : field->targets);
    for (; *source; source++) {
        check_source(l, *source, field->inverse, path);
        if (field->through)
            check_source(l, *source, field->onward, path);
    }
}
