#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load_rule.h"
#include "common/model/model_load_watch.h"

/* A rule along a path: {"path": [step, ...]} to users' own objects, or with "owner" to objects
 * which that field gives to users. */

static void tell_no_user(struct loading *l, const char *path, const struct model_class *c)
{
    text_addf(l->problems,
              "%s: leads to %s, which does not stand for users; say by \"owner\" whose they are\n",
              path, c->name);
}

/* Are all that are reached users' own objects? */
static void check_users(struct loading *l, const struct model_class *const *reached,
                        const char *path)
{
    for (; *reached; reached++) {
        if (!l->model->anchor || !model_is_a(*reached, l->model->anchor))
            tell_no_user(l, path, *reached);
    }
}

/* The column of the class that says whose its objects are; NULL: it has none, or one that cannot,
 * which is told. */
static const char *owner_column(struct loading *l, const struct model_class *c, const char *name,
                                const char *path)
{
    const struct model_field *field = model_find_field(c, name);

    if (strcmp(name, "@user") == 0)
        return MODEL_USER_COLUMN;
    if (field && !model_may_name_owner(l->model, field))
        text_addf(l->problems, "%s: %s of %s names no user\n", path, name, c->name);
    return field ? field->column : NULL;
}

static void load_ends(struct loading *l, const struct model_way *way, const char *name,
                      const char *path, struct model_rule_alternative *out)
{
    struct model_rule_end *ends = model_alloc(l->model, l->model->count, sizeof(*ends));
    _cleanup_(text_deinitp) struct text place = {0};

    text_addf(&place, "%s.owner", path);
    out->ends = ends;
    for (const struct model_class *const *c = way->reached; *c; c++) {
        const char *column = owner_column(l, *c, name, place.at);

        if (column)
            ends[out->end_count++] = (struct model_rule_end){*c, column};
    }
    if (out->end_count == 0)
        text_addf(l->problems, "%s: no class that is reached has %s\n", place.at, name);
}

void model_load_path(struct loading *l, const struct model_class *c, struct json_object *given,
                     const char *path, struct model_rule_alternative *out)
{
    static const char *const members[] = {"path", "owner", NULL};
    const struct model_class *const start[] = {c, NULL};
    struct model_way way = {.l = l, .reached = model_concrete_of(l->model, start)};
    const char *owner = model_get_string(l, given, path, "owner", false);
    _cleanup_(text_deinitp) struct text place = {0};
    size_t count = model_load_way(&way, given, path, "path");

    json_get_only(given, path, members, l->problems);
    text_addf(&place, "%s.path", path);
    if (count < 1 || count > MODEL_PATH_MAX)
        text_addf(l->problems, "%s: expected 1 to %d steps, found %zu\n", place.at, MODEL_PATH_MAX,
                  count);
    *out = (struct model_rule_alternative){
        .kind = RULE_PATH, .steps = way.steps, .step_count = way.count};
    if (way.reached && owner)
        load_ends(l, &way, owner, path, out);
    else if (way.reached && !json_object_object_get_ex(given, "owner", NULL))
        check_users(l, way.reached, place.at);
}
