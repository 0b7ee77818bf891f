#include "common/model/model_load_rule.h"

#include <string.h>

#include <json-c/json.h>

#include "common/base/plain_name.h"
#include "common/json/json_get.h"

/* Who stands for users, and one rule. */

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

bool model_may_name_owner(const struct model *model, const struct model_field *field)
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
    if (model_may_name_owner(l->model, field))
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
    const char *name = model_get_string(l, given, path, "role", true);

    json_get_only(given, path, members, l->problems);
    if (name && !is_plain_name(name))
        model_tell(l, path, "role", PLAIN_NAME_EXPECTED);
    out->kind = RULE_ROLE;
    out->role = name ? name : "";
}

static bool load_word(struct json_object *given, struct model_rule_alternative *out)
{
    const char *word =
        json_object_is_type(given, json_type_string) ? json_object_get_string(given) : "";

    for (size_t i = 0; i < ARRAY_SIZE(model_rule_words); i++) {
        if (strcmp(word, model_rule_words[i]) == 0) {
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
    else if (json_object_object_get_ex(given, "path", NULL))
        model_load_path(l, c, given, path, out);
    else if (json_object_is_type(given, json_type_object))
        load_owner(l, c, given, path, out);
    else if (!load_word(given, out))
        text_addf(l->problems,
                  "%s: expected nobody, everyone, signedIn, {\"owner\": field}, "
                  "{\"role\": name}, {\"path\": steps} or an array of these\n",
                  path);
}

/* ---- All of it ---- */

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

void model_load_rule(struct loading *l, const struct model_class *c, struct json_object *given,
                     const char *path, struct model_rule *rule)
{
    if (json_object_is_type(given, json_type_array))
        load_any_of(l, c, given, path, rule);
    else
        load_alternative(l, c, given, path, begin_rule(l, rule, 1));
    model_complete_rule(l->model, rule);
}

void model_set_rule(struct loading *l, enum rule_kind kind, struct model_rule *rule)
{
    begin_rule(l, rule, 1)->kind = kind;
    model_complete_rule(l->model, rule);
}

void model_load_run(struct loading *l, const struct model_class *c, struct json_object *row,
                    const char *path, struct model_rule *rule)
{
    struct json_object *given = json_object_object_get(row, "run");
    _cleanup_(text_deinitp) struct text place = {0};

    model_set_rule(l, RULE_SIGNED_IN, rule);
    if (!given)
        return;
    text_addf(&place, "%s.run", path);
    model_load_rule(l, c, given, place.at, rule);
    if (model_rule_has(rule, RULE_OWNER) || model_rule_has(rule, RULE_PATH))
        text_addf(l->problems, "%s: no object is meant, so it belongs to nobody\n", place.at);
}
