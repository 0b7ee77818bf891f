#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load_watch.h"

/* Conditions on what was reached, and its order. */

static const char *const signs[] = {
    [IS_EQUAL] = "=",    [IS_NOT] = "!=", [IS_LESS] = "<",
    [IS_AT_MOST] = "<=", [IS_MORE] = ">", [IS_AT_LEAST] = ">=",
};

static bool is_ordered(enum field_type type)
{
    return type == FIELD_STRING || type == FIELD_INTEGER || type == FIELD_DOUBLE ||
           type == FIELD_DATE;
}

static void load_sign(struct loading *l, struct json_object *row, const char *path,
                      struct model_condition *condition)
{
    const char *sign = model_get_string(l, row, path, "is", true);
    size_t i = 0;

    if (!sign)
        return;
    while (i < ARRAY_SIZE(signs) && strcmp(sign, signs[i]) != 0)
        i++;
    if (i == ARRAY_SIZE(signs)) {
        model_tell(l, path, "is", "expected =, !=, <, <=, > or >=");
        return;
    }
    condition->is = (enum condition_kind)i;
    if (condition->is > IS_NOT && !is_ordered(condition->term.type))
        text_addf(l->problems, "%s.is: %s has no order, expected = or !=\n", path,
                  condition->term.name);
}

/* Is it a value that the field can have in some class? Of none the last one's reason is told. */
static bool add_value(struct loading *l, const struct model_term *term, struct json_span value,
                      struct text *out, struct text *problem)
{
    for (size_t i = 0; i < term->origin_count; i++) {
        text_clear(out);
        text_clear(problem);
        if (model_add_value(l->model, term->origins[i].field, value, out, problem) == ERR_OK)
            return true;
    }
    return false;
}

static void load_value(struct loading *l, struct json_object *row, const char *path,
                       struct model_condition *condition)
{
    struct json_object *given = json_object_object_get(row, "value");
    _cleanup_(text_deinitp) struct text value = {0}, problem = {0};
    struct json_span text;

    if (!model_get_text(given, &text)) {
        model_tell(l, path, "value", "no JSON value");
    } else if (!add_value(l, &condition->term, text, &value, &problem)) {
        text_addf(l->problems, "%s.value%s\n", path, text_str(&problem));
    } else {
        condition->text = model_keep(l->model, &value);
        if (condition->is > IS_NOT && text_equals(&value, "null"))
            model_tell(l, path, "value", "nothing is less or more than null");
    }
}

static void load_param(struct loading *l, struct json_object *row, const char *path,
                       const struct model_params *params, struct model_condition *condition)
{
    struct json_object *given = json_object_object_get(row, "param");
    const int64_t number =
        json_object_is_type(given, json_type_int) ? json_object_get_int64(given) : -1;
    const enum field_type type = condition->term.type;

    if (number < 0 || number >= (int64_t)params->count) {
        text_addf(l->problems, "%s.param: expected the number of a param, the first is 0\n", path);
        return;
    }
    condition->param = (size_t)number;
    if (params->items[number].type != type &&
        !(type == FIELD_DOUBLE && params->items[number].type == FIELD_INTEGER))
        text_addf(l->problems, "%s.param: that one is of another type than %s\n", path,
                  condition->term.name);
}

static bool is_compared(enum field_type type)
{
    return is_ordered(type) || type == FIELD_BOOLEAN || type == FIELD_TO_ONE;
}

static void load_condition(struct loading *l, struct json_object *row, const char *path,
                           const struct model_params *params,
                           const struct model_class *const *classes,
                           struct model_condition *condition)
{
    const char *name = model_get_string(l, row, path, "field", true);
    _cleanup_(text_deinitp) struct text place = {0};
    const bool has_value = json_object_object_get_ex(row, "value", NULL);

    text_addf(&place, "%s.field", path);
    if (!name || !model_load_term(l, classes, name, place.at, &condition->term))
        return;
    if (!is_compared(condition->term.type)) {
        text_addf(l->problems, "%s: %s is json, list or toMany, which are not compared\n", place.at,
                  name);
        return;
    }
    load_sign(l, row, path, condition);
    if (has_value == json_object_object_get_ex(row, "param", NULL))
        text_addf(l->problems, "%s: expected either value or param\n", path);
    else if (has_value)
        load_value(l, row, path, condition);
    else
        load_param(l, row, path, params, condition);
}

const struct model_condition *model_load_where(struct loading *l, struct json_object *row,
                                               const char *path, const struct model_params *params,
                                               const struct model_class *const *classes,
                                               size_t *count)
{
    static const char *const members[] = {"field", "is", "value", "param", NULL};
    struct json_object *given = model_get_items(l, row, path, "where", count), *item;
    struct model_condition *where = model_alloc(l->model, *count, sizeof(*where));
    _cleanup_(text_deinitp) struct text place = {0};

    for (size_t i = 0; i < *count; i++) {
        model_item_path(&place, path, "where", i);
        item = model_get_row(l, given, i, place.at, members);
        if (item)
            load_condition(l, item, place.at, params, classes, &where[i]);
    }
    return where;
}

static void load_order(struct loading *l, struct json_object *row, const char *path,
                       const struct model_class *const *classes, struct model_order *order)
{
    const char *name = model_get_string(l, row, path, "by", true);
    _cleanup_(text_deinitp) struct text place = {0};

    text_addf(&place, "%s.by", path);
    order->descending = model_get_flag(l, row, path, "descending");
    if (name && model_load_term(l, classes, name, place.at, &order->term) &&
        !is_ordered(order->term.type) && order->term.type != FIELD_BOOLEAN)
        text_addf(l->problems, "%s: %s is json or a relation, which have no order\n", place.at,
                  name);
}

const struct model_order *model_load_order(struct loading *l, struct json_object *row,
                                           const char *path,
                                           const struct model_class *const *classes, size_t *count)
{
    static const char *const members[] = {"by", "descending", NULL};
    struct json_object *given = model_get_items(l, row, path, "order", count), *item;
    struct model_order *order = model_alloc(l->model, *count, sizeof(*order));
    _cleanup_(text_deinitp) struct text place = {0};

    for (size_t i = 0; i < *count; i++) {
        model_item_path(&place, path, "order", i);
        item = model_get_row(l, given, i, place.at, members);
        if (item)
            load_order(l, item, place.at, classes, &order[i]);
    }
    return order;
}
