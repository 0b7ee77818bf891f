#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load_watch.h"

/* The params of watchers and queries; arrays and rows of both. */

void model_item_path(struct text *out, const char *path, const char *member, size_t i)
{
    text_clear(out);
    text_addf(out, "%s.%s[%zu]", path, member, i);
}

struct json_object *model_get_items(struct loading *l, struct json_object *row, const char *path,
                                    const char *member, size_t *count)
{
    struct json_object *items = NULL;

    if (json_get_array(row, path, member, false, &items, l->problems))
        items = NULL;
    *count = items ? json_object_array_length(items) : 0;
    return items;
}

struct json_object *model_get_row(struct loading *l, struct json_object *items, size_t i,
                                  const char *path, const char *const *members)
{
    struct json_object *row = json_object_array_get_idx(items, i);

    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path);
        return NULL;
    }
    json_get_only(row, path, members, l->problems);
    return row;
}

static bool is_param_type(enum field_type type)
{
    return type != FIELD_JSON && type != FIELD_LIST && type != FIELD_TO_MANY;
}

static void load_param(struct loading *l, struct json_object *row, const char *path,
                       struct model_field *param)
{
    static const char *const plain[] = {"name", "type", "required", NULL};
    static const char *const relation[] = {"name", "type", "required", "target", NULL};

    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path);
        return;
    }
    param->name = param->column = model_get_string(l, row, path, "name", true);
    if (param->name && !model_is_name(param->name, "-"))
        model_tell(l, path, "name", "expected letters, digits, - and _, a letter first");
    param->required = model_get_flag(l, row, path, "required");
    if (!model_load_type(l, row, path, &param->type))
        return;
    json_get_only(row, path, param->type == FIELD_TO_ONE ? relation : plain, l->problems);
    if (!is_param_type(param->type))
        model_tell(l, path, "type",
                   "expected string, integer, double, boolean, date or toOne of a param");
    else if (param->type == FIELD_TO_ONE)
        model_load_targets(l, row, path, param);
}

static bool is_named(const struct model_field *params, size_t count, const char *name)
{
    while (count > 0 && (!params[count - 1].name || strcmp(params[count - 1].name, name) != 0))
        count--;
    return count > 0;
}

void model_load_params(struct loading *l, struct json_object *row, const char *path,
                       struct model_params *out)
{
    _cleanup_(text_deinitp) struct text item = {0};
    struct json_object *given = model_get_items(l, row, path, "params", &out->count);
    struct model_field *params;

    if (out->count > MODEL_PARAMS_MAX) {
        text_addf(l->problems, "%s.params: more than %d\n", path, MODEL_PARAMS_MAX);
        out->count = 0;
    }
    params = model_alloc(l->model, out->count, sizeof(*params));
    for (size_t i = 0; i < out->count; i++) {
        model_item_path(&item, path, "params", i);
        load_param(l, json_object_array_get_idx(given, i), item.at, &params[i]);
        if (params[i].name && is_named(params, i, params[i].name))
            model_tell(l, item.at, "name", "another param has this name");
    }
    out->items = params;
}
