#include "common/model/model_watch_value.h"

#include <stdlib.h>
#include <string.h>

#include "common/model/model_internal.h"

/* ---- Two values ---- */

static int order_of(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* UTF-8 is ordered as the code points are. */
static int compare_strings(const char *a, const char *b)
{
    _cleanup_(text_deinitp) struct text left = {0}, right = {0};
    size_t shorter;
    int order;

    if (json_decode(json_span_of(a), &left) || json_decode(json_span_of(b), &right))
        return strcmp(a, b);
    shorter = left.size < right.size ? left.size : right.size;
    order = memcmp(text_str(&left), text_str(&right), shorter);
    return order ? order : order_of(left.size, right.size);
}

/* An int64 is below, at or above a double, though it may be no double itself. */
static int compare_mixed(int64_t whole, double number)
{
    const double beyond = 9223372036854775808.0; /* 2^63 */
    int64_t below;
    double rest;

    if (number >= beyond || number < -beyond)
        return number < 0 ? 1 : -1;
    below = (int64_t)number; /* towards 0 */
    rest = number - (double)below;
    return whole != below ? (whole > below ? 1 : -1) : (rest < 0) - (rest > 0);
}

static int compare_numbers(const char *a, const char *b)
{
    const double left = strtod(a, NULL), right = strtod(b, NULL);
    int64_t whole_left, whole_right;
    const bool is_left_whole = json_int64(json_span_of(a), &whole_left) == ERR_OK;
    const bool is_right_whole = json_int64(json_span_of(b), &whole_right) == ERR_OK;

    if (is_left_whole && is_right_whole)
        return (whole_left > whole_right) - (whole_left < whole_right);
    if (is_left_whole)
        return compare_mixed(whole_left, right);
    if (is_right_whole)
        return -compare_mixed(whole_right, left);
    return (left > right) - (left < right);
}

static bool have_one_id(struct json_span a, struct json_span b)
{
    const struct json_span left = json_member(a, "ID", NULL), right = json_member(b, "ID", NULL);

    return left.size == right.size && memcmp(left.at, right.at, left.size) == 0;
}

static const struct model_class *class_of(const struct model *model, struct json_span pair)
{
    _cleanup_(text_deinitp) struct text name = {0};

    if (json_decode(json_member(pair, "className", NULL), &name))
        return NULL;
    return model_class(model, text_str(&name), name.size);
}

/* No two objects of a class and its parents have the same ID. */
static bool is_same_object(const struct model *model, struct json_span a, struct json_span b)
{
    const struct model_class *left = class_of(model, a), *right = class_of(model, b);

    return left && right && (model_is_a(left, right) || model_is_a(right, left));
}

static int compare_pairs(const struct model *model, const char *a, const char *b)
{
    const struct json_span left = json_span_of(a), right = json_span_of(b);

    if (have_one_id(left, right) && is_same_object(model, left, right))
        return 0;
    return strcmp(a, b);
}

int model_compare_values(const struct model *model, enum field_type type, const char *a,
                         const char *b)
{
    if (strcmp(a, b) == 0)
        return 0;
    switch (type) {
    case FIELD_STRING:
        return compare_strings(a, b);
    case FIELD_INTEGER:
    case FIELD_DOUBLE:
    case FIELD_DATE:
        return compare_numbers(a, b);
    case FIELD_TO_ONE:
        return compare_pairs(model, a, b);
    default:
        return strcmp(a, b); /* "false" comes before "true" */
    }
}

/* ---- Conditions ---- */

static bool is_null(const char *text)
{
    return !text || strcmp(text, "null") == 0;
}

static const char *value_in(const struct model_term *term, const struct model_seen *object)
{
    const struct model_origin *origin = model_origin_of(term, object->class_);
    const struct model_field *field = origin ? origin->field : NULL;

    return field ? model_said(field, object->text_of(object->arg, field->column)) : NULL;
}

static bool holds(enum condition_kind is, int order)
{
    switch (is) {
    case IS_EQUAL:
        return order == 0;
    case IS_NOT:
        return order != 0;
    case IS_LESS:
        return order < 0;
    case IS_AT_MOST:
        return order <= 0;
    case IS_MORE:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool condition_holds(const struct model *model, const struct model_condition *condition,
                            const char *found, const char *expected)
{
    if (is_null(found) || is_null(expected))
        return (condition->is == IS_EQUAL && is_null(found) == is_null(expected)) ||
               (condition->is == IS_NOT && is_null(found) != is_null(expected));
    return holds(condition->is, model_compare_values(model, condition->term.type, found, expected));
}

bool model_conditions_hold(const struct model *model, const struct model_condition *where,
                           size_t count, const struct model_args *args,
                           const struct model_seen *object)
{
    size_t i = 0;

    while (i < count &&
           condition_holds(model, &where[i], value_in(&where[i].term, object),
                           where[i].text ? where[i].text : args->texts[where[i].param]))
        i++;
    return i == count;
}

/* ---- Orders ---- */

int model_compare_ordered(const struct model *model, const struct model_order *order, size_t count,
                          const char *const *a, const char *const *b)
{
    int found = 0;

    for (size_t i = 0; !found && i < count; i++) {
        if (is_null(a[i]) || is_null(b[i]))
            found = is_null(a[i]) - is_null(b[i]);
        else
            found = model_compare_values(model, order[i].term.type, a[i], b[i]) *
                    (order[i].descending ? -1 : 1);
    }
    return found;
}
