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
                       const char *path, struct model_rule *rule)
{
    const char *name = model_get_string(l, given, path, "owner", true);
    const struct model_field *field = model_find_field(c, name);

    *rule = (struct model_rule){RULE_OWNER, MODEL_USER_COLUMN};
    if (name && strcmp(name, "@user") == 0)
        return;
    if (may_name_owner(l->model, field))
        rule->column = field->column;
    else
        model_tell(l, path, "owner",
                   "expected @user, or a field with a user's id (a string), the user's own object "
                   "or a list of such objects");
}

static void load_role(struct loading *l, struct json_object *given, const char *path,
                      struct model_rule *rule)
{
    const char *name = model_get_string(l, given, path, "role", true);
    _cleanup_(text_deinitp) struct text word = {0};

    *rule = (struct model_rule){.kind = RULE_ROLE};
    if (!name)
        return;
    if (!is_plain_name(name))
        model_tell(l, path, "role", PLAIN_NAME_EXPECTED);
    text_addf(&word, "role:%s", name);
    rule->role = model_keep(l->model, &word);
}

/* Those that are said in a word. */
static const char *const words[] = {[RULE_NOBODY] = "nobody",
                                    [RULE_EVERYONE] = "everyone",
                                    [RULE_SIGNED_IN] = "signedIn",
                                    [RULE_OWNER] = "owner"};

const char *model_rule_word(const struct model_rule *rule)
{
    return rule->kind == RULE_ROLE ? rule->role : words[rule->kind];
}

static bool load_word_rule(const char *word, struct model_rule *rule)
{
    for (size_t i = 0; i < RULE_OWNER; i++) {
        if (strcmp(word, words[i]) == 0) {
            *rule = (struct model_rule){.kind = (enum rule_kind)i};
            return true;
        }
    }
    return false;
}

static void load_rule(struct loading *l, const struct model_class *c, struct json_object *given,
                      const char *path, struct model_rule *rule)
{
    static const char *const of_owner[] = {"owner", NULL}, *const of_role[] = {"role", NULL};

    if (json_object_object_get_ex(given, "role", NULL)) {
        json_get_only(given, path, of_role, l->problems);
        load_role(l, given, path, rule);
    } else if (json_object_is_type(given, json_type_object)) {
        json_get_only(given, path, of_owner, l->problems);
        load_owner(l, c, given, path, rule);
    } else if (!json_object_is_type(given, json_type_string) ||
               !load_word_rule(json_object_get_string(given), rule)) {
        text_addf(
            l->problems,
            "%s: expected nobody, everyone, signedIn, {\"owner\": field} or {\"role\": name}\n",
            path);
    }
}

void model_load_run(struct loading *l, const struct model_class *c, struct json_object *row,
                    const char *path, struct model_rule *rule)
{
    struct json_object *given = json_object_object_get(row, "run");
    _cleanup_(text_deinitp) struct text place = {0};

    *rule = (struct model_rule){.kind = RULE_SIGNED_IN};
    if (!given)
        return;
    text_addf(&place, "%s.run", path);
    load_rule(l, c, given, place.at, rule);
    if (rule->kind == RULE_OWNER)
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
    const char *column = c->rules[ACTION_CREATE].column;
    _cleanup_(text_deinitp) struct text path = {0};

    model_class_path(&path, c, ".access.create");
    if (column && strcmp(column, MODEL_USER_COLUMN) == 0)
        model_tell(l, path.at, "owner", "what is not made yet belongs to nobody");
}

void model_load_rules(struct loading *l, struct model_class *c)
{
    static const char *const actions[] = {
        [ACTION_READ] = "read",     [ACTION_CREATE] = "create",      [ACTION_UPDATE] = "update",
        [ACTION_REMOVE] = "remove", [ACTION_ADD_CHILD] = "addChild", [ACTION_COUNT] = NULL};
    _cleanup_(text_deinitp) struct text path = {0};
    struct json_object *access = NULL;

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
