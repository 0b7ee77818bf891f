#include <stdlib.h>

#include "common/model/model_internal.h"

/*
 * One value of a request against its field. A check_fn adds the canonical text to *out, or tells
 * the rest of a line that begins with the value's path, as in model_read_pair().
 */
typedef enum err check_fn(const struct model *model, const struct model_field *field,
                          struct json_span value, struct text *out, struct text *problem);

enum err model_wrong_kind(struct text *problem, const char *expected, struct json_span value)
{
    static const char *const found[] = {
        [JSON_ABSENT] = "nothing",   [JSON_NULL] = "null",       [JSON_BOOLEAN] = "a boolean",
        [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object",
    };

    text_addf(problem, ": expected %s, found %s", expected, found[json_kind(value)]);
    return ERR_TYPE;
}

static enum err check_string(const struct model *model, const struct model_field *field,
                             struct json_span value, struct text *out, struct text *problem)
{
    const char *const *allowed = field->values;

    (void)model;
    if (json_kind(value) != JSON_STRING)
        return model_wrong_kind(problem, "a string", value);
    while (allowed && *allowed && !json_string_is(value, *allowed))
        allowed++;
    if (!allowed || *allowed) {
        json_add_canonical(out, value);
        return ERR_OK;
    }
    text_add(problem, ": expected one of");
    for (allowed = field->values; *allowed; allowed++)
        text_addf(problem, "%s %s", allowed == field->values ? "" : ",", *allowed);
    return ERR_RANGE;
}

static enum err check_integer(const struct model *model, const struct model_field *field,
                              struct json_span value, struct text *out, struct text *problem)
{
    int64_t number = 0;
    enum err e = json_int64(value, &number);

    (void)model;
    (void)field;
    if (!e) {
        text_add_i64(out, number); /* so that -0 is 0 */
        return ERR_OK;
    }
    if (json_kind(value) != JSON_NUMBER)
        return model_wrong_kind(problem, "an integer", value);
    text_add(problem, e == ERR_RANGE ? ": outside the range of 64-bit integers"
                                     : ": expected an integer without fraction and exponent");
    return e;
}

static enum err check_number(const struct model *model, const struct model_field *field,
                             struct json_span value, struct text *out, struct text *problem)
{
    (void)model;
    (void)field;
    if (json_kind(value) != JSON_NUMBER)
        return model_wrong_kind(problem, "a number", value);
    json_add_canonical(out, value);
    return ERR_OK;
}

static enum err check_boolean(const struct model *model, const struct model_field *field,
                              struct json_span value, struct text *out, struct text *problem)
{
    (void)model;
    (void)field;
    if (json_kind(value) != JSON_BOOLEAN)
        return model_wrong_kind(problem, "a boolean", value);
    json_add_canonical(out, value);
    return ERR_OK;
}

static enum err check_json(const struct model *model, const struct model_field *field,
                           struct json_span value, struct text *out, struct text *problem)
{
    (void)model;
    (void)field;
    (void)problem;
    json_add_canonical(out, value);
    return ERR_OK;
}

bool model_may_refer(const struct model_field *field, const struct model_class *c)
{
    const struct model_class *const *target = field->targets;

    while (*target && !model_is_a(c, *target))
        target++;
    return *target;
}

static enum err check_pair(const struct model *model, const struct model_field *field,
                           struct json_span value, struct text *out, struct text *problem)
{
    const struct model_class *c = NULL;
    char *id = NULL;
    enum err e = model_read_pair(model, value, &c, &id, problem);

    if (!e && !model_may_refer(field, c)) {
        text_addf(problem, ".className: objects of %s cannot stand here", c->name);
        e = ERR_TYPE;
    }
    if (!e)
        model_add_pair(out, c->name, id);
    free(id);
    return e == ERR_NOT_FOUND ? ERR_TYPE : e; /* not found is said of the object's own class */
}

static enum err check_list(const struct model *model, const struct model_field *field,
                           struct json_span value, struct text *out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text rest = {0};
    struct json_walk w;
    enum err e = ERR_OK;
    size_t count = 0;

    if (json_kind(value) != JSON_ARRAY)
        return model_wrong_kind(problem, "an array", value);
    for (w = json_walk(value); !e && json_next(&w); count++) {
        text_add_char(out, count > 0 ? ',' : '[');
        e = check_pair(model, field, w.value, out, &rest);
    }
    text_add(out, count > 0 ? "]" : "null"); /* equal to one that was never set */
    if (e)
        text_addf(problem, "[%zu]%s", count - 1, text_str(&rest));
    return e;
}

enum err model_add_value(const struct model *model, const struct model_field *field,
                         struct json_span value, struct text *out, struct text *problem)
{
    static check_fn *const checks[] = {
        [FIELD_STRING] = check_string, [FIELD_INTEGER] = check_integer,
        [FIELD_DOUBLE] = check_number, [FIELD_BOOLEAN] = check_boolean,
        [FIELD_DATE] = check_integer,  [FIELD_JSON] = check_json,
        [FIELD_TO_ONE] = check_pair,   [FIELD_LIST] = check_list,
        [FIELD_TO_MANY] = check_list,
    };

    if (json_kind(value) != JSON_NULL)
        return checks[field->type](model, field, value, out, problem);
    if (field->required) {
        text_add(problem, ": required, so it cannot be null");
        return ERR_TYPE;
    }
    text_add(out, "null");
    return ERR_OK;
}
