#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_content.h"
#include "common/model/model_load.h"

/* What a login of the content protocol says: where a user begins, and the deployment's own words to
 * its clients. */

static const char path_of_all[] = "entryPoints";

/* ---- Of the user's own object ---- */

static void load_self(struct loading *l, struct json_object *row, const char *path,
                      struct model_entry *entry)
{
    entry->kind = ENTRY_SELF;
    if (!model_get_flag(l, row, path, "self"))
        model_tell(l, path, "self", "expected true");
    if (!l->model->anchor || !l->model->anchor->type)
        model_tell(l, path, "self", "no class with a type stands for users");
}

static void load_of_user(struct loading *l, struct json_object *row, const char *path,
                         struct model_entry *entry)
{
    const struct model_class *user = l->model->anchor;
    const char *name = model_get_string(l, row, path, "field", true);

    entry->kind = ENTRY_FIELD;
    entry->field = user ? model_find_field(user, name) : NULL;
    if (name && (!entry->field || entry->field->type != FIELD_TO_ONE ||
                 !model_in_content(user, entry->field)))
        model_tell(l, path, "field",
                   "expected a toOne of the class that stands for users, to classes with types");
    else if (name && model_hides(entry->field))
        model_tell(l, path, "field", "not everyone may read it, and logins would show it");
}

/* ---- Made for each user ---- */

/* What the server makes by itself has nobody to give it values. */
static void check_makeable(struct loading *l, const struct model_class *c, const char *path,
                           const char *const *given)
{
    for (size_t i = 0; i < c->field_count; i++) {
        const struct model_field *field = &c->fields[i];
        const char *const *name = given;

        while (*name && strcmp(*name, field->name) != 0)
            name++;
        if (field->required && !field->initial && !*name)
            text_addf(l->problems, "%s: %s of %s is required and has no default\n", path,
                      field->name, c->name);
    }
    if (c->id == ID_ARRAY)
        text_addf(l->problems, "%s: objects of %s are made as children\n", path, c->name);
}

static void load_own(struct loading *l, struct json_object *row, const char *path,
                     struct model_entry *entry)
{
    static const char *const none[] = {NULL};
    const char *type = model_get_string(l, row, path, "own", true);
    _cleanup_(text_deinitp) struct text place = {0};

    entry->kind = ENTRY_OWN;
    entry->unnamed = model_get_flag(l, row, path, "unnamed");
    if (!type)
        return;
    entry->class_ = model_class_by_type(l->model, type);
    text_addf(&place, "%s.own", path);
    if (entry->class_)
        check_makeable(l, entry->class_, place.at, none);
    else
        model_tell(l, path, "own", "no class has this type");
}

/* ---- Fixed ---- */

static void load_key(struct loading *l, struct json_object *row, const char *path,
                     struct model_entry *entry)
{
    _cleanup_(text_deinitp) struct text problem = {0}, kept = {0};
    _cleanup_(freep) char *id = NULL;
    struct json_span key;

    if (!model_get_text(json_object_object_get(row, "key"), &key))
        text_add(&problem, ": no JSON value");
    else if (model_read_key(l->model, key, &entry->class_, &id, &problem))
        entry->class_ = NULL;
    if (problem.size) {
        text_addf(l->problems, "%s.key%s\n", path, problem.at);
        return;
    }
    text_add(&kept, id);
    entry->id = model_keep(l->model, &kept);
}

/* {"cn":...,"ID":..., and the members that the file gives. */
static void add_object(struct text *out, const struct model_entry *entry, struct json_span members)
{
    text_add(out, "{\"cn\":");
    text_add_json_str(out, entry->class_->name);
    text_add(out, ",\"ID\":");
    text_add_json_str(out, entry->id);
    if (json_count(members) > 0)
        text_add_char(out, ',');
    text_add_bytes(out, members.at + 1, members.size - 1);
}

/* What keeps nothing would be passed over. False: some member was told of. */
static bool check_object_members(struct loading *l, const struct model_class *c,
                                 struct json_object *given, const char *path)
{
    const size_t before = l->problems->size;
    struct json_object_iter member;

    json_object_object_foreachC(given, member)
    {
        const struct model_field *field = model_find_field(c, member.key);

        if (!field)
            model_tell(l, path, member.key, "no such field");
        else if (field->type == FIELD_TO_MANY || field->server == SERVER_CONNECTED)
            model_tell(l, path, member.key, "derived, so it cannot be given");
    }
    return l->problems->size == before;
}

static void check_complete(struct loading *l, const struct model_object *object, const char *path)
{
    const char **given = model_alloc(l->model, object->count + 1, sizeof(*given));

    for (size_t i = 0; i < object->count; i++)
        given[i] = object->values[i].field->name;
    check_makeable(l, object->class_, path, given);
}

static void load_object(struct loading *l, struct json_object *row, const char *path,
                        struct model_entry *entry)
{
    _cleanup_(text_deinitp) struct text text = {0}, problem = {0}, place = {0};
    struct json_object *given = NULL;
    struct model_object object;
    struct json_span members;

    if (json_get_object(row, path, "object", false, &given, l->problems) || !entry->class_)
        return;
    if (!model_get_text(given, &members)) {
        model_tell(l, path, "object", "no JSON value");
        return;
    }
    add_object(&text, entry, members);
    text_addf(&place, "%s.object", path);
    if (!check_object_members(l, entry->class_, given, place.at))
        return;
    if (model_read_exported(l->model, json_span_text(&text), &object, &problem)) {
        text_addf(l->problems, "%s.%s\n", place.at, problem.at);
        return;
    }
    check_complete(l, &object, place.at);
    model_object_deinit(&object);
    entry->object = model_keep(l->model, &text);
}

static const struct model_field *load_to_one(struct loading *l, struct json_object *row,
                                             const char *path, const char *member,
                                             const struct model_entry *entry)
{
    const char *name = model_get_string(l, row, path, member, true);
    const struct model_field *field = entry->join ? model_find_field(entry->join, name) : NULL;

    if (name && entry->join && (!field || field->type != FIELD_TO_ONE)) {
        model_tell(l, path, member, "expected a toOne of the join class");
        return NULL;
    }
    return field;
}

static void load_everyone(struct loading *l, struct json_object *row, const char *path,
                          struct model_entry *entry)
{
    static const char *const members[] = {"class", "here", "person", NULL};
    const char *name = model_get_string(l, row, path, "class", true);

    json_get_only(row, path, members, l->problems);
    if (name)
        entry->join = model_find_class(l, path, "class", name);
    if (entry->join && (entry->join->abstract || entry->join->id != ID_STRING))
        model_tell(l, path, "class", "expected a class that is not abstract, with string ids");
    entry->here = load_to_one(l, row, path, "here", entry);
    entry->person = load_to_one(l, row, path, "person", entry);
    if (entry->here && entry->class_ && !model_may_refer(entry->here, entry->class_))
        model_tell(l, path, "here", "does not refer to the entry point");
    if (entry->person && !model_refers_to_users(l->model, entry->person))
        model_tell(l, path, "person", "does not refer to the class that stands for users");
    if (!entry->here || !entry->person)
        return;
    check_makeable(l, entry->join, path,
                   (const char *const[]){entry->here->name, entry->person->name, NULL});
}

static void load_fixed(struct loading *l, struct json_object *row, const char *path,
                       struct model_entry *entry)
{
    _cleanup_(text_deinitp) struct text place = {0};
    struct json_object *everyone = NULL;

    entry->kind = ENTRY_FIXED;
    load_key(l, row, path, entry);
    load_object(l, row, path, entry);
    if (json_get_object(row, path, "everyone", false, &everyone, l->problems))
        return;
    text_addf(&place, "%s.everyone", path);
    load_everyone(l, everyone, place.at, entry);
}

/* ---- All of them ---- */

/* By the member that says which kind it is. */
static const struct {
    const char *member;
    void (*load)(struct loading *l, struct json_object *row, const char *path,
                 struct model_entry *entry);
    const char *const members[4];
} kinds[] = {
    {"self", load_self, {"self"}},
    {"field", load_of_user, {"field"}},
    {"own", load_own, {"own", "unnamed"}},
    {"key", load_fixed, {"key", "object", "everyone"}},
};

/* Beside the entry points a login's result has these. */
static bool is_free(const char *name)
{
    return strcmp(name, "session") != 0 && strcmp(name, "config") != 0;
}

static void load_entry(struct loading *l, struct json_object *row, struct model_entry *entry)
{
    _cleanup_(text_deinitp) struct text path = {0};
    size_t i = 0;

    text_addf(&path, "%s.%s", path_of_all, entry->name);
    if (!model_is_name(entry->name, "-") || !is_free(entry->name))
        text_addf(l->problems,
                  "%s: an entry point has a name of letters, digits, - and _, not session or "
                  "config\n",
                  path.at);
    while (i < ARRAY_SIZE(kinds) && !json_object_object_get_ex(row, kinds[i].member, NULL))
        i++;
    if (i == ARRAY_SIZE(kinds)) {
        text_addf(l->problems, "%s: expected an object with self, field, own or key\n", path.at);
        return;
    }
    json_get_only(row, path.at, kinds[i].members, l->problems);
    kinds[i].load(l, row, path.at, entry);
}

static void load_config(struct loading *l)
{
    _cleanup_(text_deinitp) struct text kept = {0};
    struct json_object *given = NULL;
    struct json_span text = json_span_of("{}");

    if (!json_get_object(l->model->tree, "", "clientConfig", false, &given, l->problems) &&
        !model_get_text(given, &text)) {
        text_add(l->problems, "clientConfig: no JSON value\n");
        return;
    }
    json_add_canonical(&kept, text);
    l->model->client_config = model_keep(l->model, &kept);
}

void model_load_entries(struct loading *l)
{
    struct json_object *all = NULL;
    struct json_object_iter row;
    struct model_entry *entries;

    load_config(l);
    if (json_get_object(l->model->tree, "", path_of_all, false, &all, l->problems))
        return;
    entries =
        model_alloc(l->model, (size_t)json_object_object_length(all), sizeof(struct model_entry));
    l->model->entries = entries;
    json_object_object_foreachC(all, row)
    {
        entries->name = row.key;
        load_entry(l, row.val, entries++);
        l->model->entry_count++;
    }
}
