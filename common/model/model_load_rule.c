#include <string.h>

#include <json-c/json.h>

#include "common/base/plain_name.h"
#include "common/json/json_get.h"
#include "common/model/model_load.h"

/* Who stands for users, and who may do what. */

void model_load_anchor(struct loading *l, struct model_class *c)
{
    _cleanup_(text_deinitp) struct text path = {0};
    const char *name;

    model_class_path(&path, c, "");
    name = model_get_string(l, model_row_of(l, c), path.at, "anchor", false);
    if (!name)
        return;
    c->anchor_field = model_find_field(c, name);
    if (!c->anchor_field || c->anchor_field->type != FIELD_STRING)
        model_tell(l, path.at, "anchor", "expected the name of a field of type string");
    if (c->abstract)
        model_tell(l, path.at, "anchor", "an abstract class cannot stand for users");
    if (l->model->anchor)
        model_tell(l, path.at, "anchor", "another class stands for users already");
    l->model->anchor = c;
}

bool model_refers_to_users(const struct model *model, const struct model_field *field)
{
    return (field->type == FIELD_TO_ONE || field->type == FIELD_LIST) && model->anchor &&
           field->targets[0] == model->anchor && !field->targets[1];
}

/* A user is known by an id in a string, or by the object that stands for them. */
static bool may_name_owner(const struct model *model, const struct model_field *field)
{
    return field && (field->type == FIELD_STRING || model_refers_to_users(model, field));
}

/* "@user" is whom the object belongs to, whatever its fields say. */
static void load_owner(struct loading *l, const struct model_class *c, struct json_object *given,
                       const char *path, struct model_rule_alternative *out)
{
    static const char *const members[] = {"owner", NULL};
    const char *name = model_get_string(l, given, path, "owner", true);
    const struct model_field *field = model_find_field(c, name);

    json_get_only(given, path, members, l->problems);
    out->kind = RULE_OWNER;
    out->column = MODEL_USER_COLUMN;
    if (name && strcmp(name, "@user") == 0)
        return;
    if (may_name_owner(l->model, field))
        out->column = field->column;
    else
        model_tell(l, path, "owner",
                   "expected @user, or a field with a user's id (a string), the user's own object "
                   "or a list of such objects");
}

static void load_role(struct loading *l, struct json_object *given, const char *path,
                      struct model_rule_alternative *out)
{
    static const char *const members[] = {"role", NULL};

    json_get_only(given, path, members, l->problems);
    out->kind = RULE_ROLE;
    out->role = model_get_string(l, given, path, "role", true);
    if (out->role && !is_plain_name(out->role))
        model_tell(l, path, "role", PLAIN_NAME_EXPECTED);
}

/* Those that are said in a word. */
static const char *const words[] = {
    [RULE_NOBODY] = "nobody", [RULE_EVERYONE] = "everyone", [RULE_SIGNED_IN] = "signedIn"};

static bool load_word(struct json_object *given, struct model_rule_alternative *out)
{
    const char *word =
        json_object_is_type(given, json_type_string) ? json_object_get_string(given) : "";

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            out->kind = (enum rule_kind)i;
            return true;
        }
    }
    return false;
}

static void load_alternative(struct loading *l, const struct model_class *c,
                             struct json_object *given, const char *path,
                             struct model_rule_alternative *out)
{
    if (json_object_object_get_ex(given, "role", NULL))
        load_role(l, given, path, out);
    else if (json_object_is_type(given, json_type_object))
        load_owner(l, c, given, path, out);
    else if (!load_word(given, out))
        text_addf(
            l->problems,
            "%s: expected nobody, everyone, signedIn, {\"owner\": field} or {\"role\": name}\n",
            path);
}

/* ---- As scripts have it ---- */

static void add_alternative(struct text *out, const struct model_rule_alternative *alternative)
{
    switch (alternative->kind) {
    case RULE_OWNER:
        text_addf(out, "owner:%s", alternative->column);
        break;
    case RULE_ROLE:
        text_addf(out, "role:%s", alternative->role ? alternative->role : "");
        break;
    default:
        text_add(out, words[alternative->kind]);
    }
}

static void complete_rule(struct loading *l, struct model_rule *rule)
{
    _cleanup_(text_deinitp) struct text text = {0};

    for (size_t i = 0; i < rule->count; i++) {
        if (i)
            text_add_char(&text, '|');
        add_alternative(&text, &rule->alternatives[i]);
    }
    rule->text = model_keep(l->model, &text);
    rule->restricts = !model_rule_has(rule, RULE_EVERYONE) && !model_rule_has(rule, RULE_SIGNED_IN);
}

const struct model_rule_alternative *model_rule_has(const struct model_rule *rule,
                                                    enum rule_kind kind)
{
    for (size_t i = 0; i < rule->count; i++) {
        if (rule->alternatives[i].kind == kind)
            return &rule->alternatives[i];
    }
    return NULL;
}

static struct model_rule_alternative *begin_rule(struct loading *l, struct model_rule *rule,
                                                 size_t count)
{
    struct model_rule_alternative *alternatives =
        model_alloc(l->model, count, sizeof(*alternatives));

    *rule = (struct model_rule){.alternatives = alternatives, .count = count};
    return alternatives;
}

static void load_any_of(struct loading *l, const struct model_class *c, struct json_object *given,
                        const char *path, struct model_rule *rule)
{
    const size_t count = json_object_array_length(given);
    struct model_rule_alternative *alternatives;
    _cleanup_(text_deinitp) struct text place = {0};

    if (count < 1 || count > MODEL_RULE_MAX) {
        text_addf(l->problems, "%s: expected 1 to %d rules, found %zu\n", path, MODEL_RULE_MAX,
                  count);
        return;
    }
    alternatives = begin_rule(l, rule, count);
    for (size_t i = 0; i < count; i++) {
        text_clear(&place);
        text_addf(&place, "%s[%zu]", path, i);
        load_alternative(l, c, json_object_array_get_idx(given, i), place.at, &alternatives[i]);
    }
}

static void load_rule(struct loading *l, const struct model_class *c, struct json_object *given,
                      const char *path, struct model_rule *rule)
{
    if (json_object_is_type(given, json_type_array))
        load_any_of(l, c, given, path, rule);
    else
        load_alternative(l, c, given, path, begin_rule(l, rule, 1));
    complete_rule(l, rule);
}

/* A rule that is said in a word. */
static void set_word(struct loading *l, enum rule_kind kind, struct model_rule *rule)
{
    begin_rule(l, rule, 1)->kind = kind;
    complete_rule(l, rule);
}

void model_load_run(struct loading *l, const struct model_class *c, struct json_object *row,
                    const char *path, struct model_rule *rule)
{
    struct json_object *given = json_object_object_get(row, "run");
    _cleanup_(text_deinitp) struct text place = {0};

    set_word(l, RULE_SIGNED_IN, rule);
    if (!given)
        return;
    text_addf(&place, "%s.run", path);
    load_rule(l, c, given, place.at, rule);
    if (model_rule_has(rule, RULE_OWNER))
        model_tell(l, place.at, "owner", "no object is meant, so it belongs to nobody");
}

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
        const char *column = rule->alternatives[i].column;

        if (column && strcmp(column, MODEL_USER_COLUMN) == 0)
            model_tell(l, path.at, "owner", "what is not made yet belongs to nobody");
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
        set_word(l, RULE_NOBODY, &c->rules[i]);
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
            load_rule(l, c, given, path.at, &c->rules[i]);
    }
    check_create(l, c);
    complete_add_child(l, c);
}
