#include "agents/sync/connectors/sql_arguments.h"

#include <stdlib.h>

#include "agents/sync/connectors/sql_declared.h"

#define NAME_MAX_BYTES 100 /* of an unknown argument's name that is told */

static enum err add_value(const struct sql_parameter *parameter, struct json_span value,
                          struct sql_values *out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text text = {0}, why = {0};
    const enum json_kind kind = json_kind(value);

    if (kind == JSON_ABSENT || kind == JSON_NULL) {
        out->at[out->count++] = NULL;
        return ERR_OK;
    }
    if (sql_type_write(&parameter->typed, value, &text, &why)) {
        text_addf(problem, "parameter \"%s\": %s", parameter->name, text_str(&why));
        return ERR_TYPE;
    }
    text_add(&text, ""); /* so that there is a string */
    out->at[out->count++] = text_steal(&text);
    return ERR_OK;
}

/* ---- By name ---- */

static const struct sql_parameter *parameter_of(const struct sql_procedure *procedure,
                                                struct json_span key)
{
    for (size_t i = 0; i < procedure->count; i++) {
        if (json_string_is(key, procedure->parameters[i].name))
            return &procedure->parameters[i];
    }
    return NULL;
}

static void add_names(const struct sql_procedure *procedure, struct text *out)
{
    const char *before = "expected ";

    for (size_t i = 0; i < procedure->count; i++) {
        if (!(procedure->parameters[i].direction & SQL_IN))
            continue;
        text_addf(out, "%s\"%s\"", before, procedure->parameters[i].name);
        before = ", ";
    }
    if (!procedure->ins)
        text_add(out, "expected none");
}

static enum err check_names(const struct sql_procedure *procedure, struct json_span object,
                            struct text *problem)
{
    struct json_walk w = json_walk(object);

    while (json_next(&w)) {
        const struct sql_parameter *found = parameter_of(procedure, w.key);

        if (found && found->direction & SQL_IN)
            continue;
        text_add(problem, found ? "parameter " : "unknown argument ");
        if (w.key.size <= NAME_MAX_BYTES)
            text_add_bytes(problem, w.key.at, w.key.size);
        else
            text_add(problem, "with a long name");
        text_add(problem, found ? " only comes out: " : ": ");
        add_names(procedure, problem);
        return ERR_TYPE;
    }
    return ERR_OK;
}

static enum err write_named(const struct sql_procedure *procedure, struct json_span object,
                            struct sql_values *out, struct text *problem)
{
    enum err e = check_names(procedure, object, problem);

    for (size_t i = 0; i < procedure->count && !e; i++) {
        const struct sql_parameter *p = &procedure->parameters[i];

        if (p->direction & SQL_IN)
            e = add_value(p, json_member(object, p->name, NULL), out, problem);
    }
    return e;
}

/* ---- By position ---- */

static enum err write_listed(const struct sql_procedure *procedure, struct json_span array,
                             struct sql_values *out, struct text *problem)
{
    struct json_walk w = json_walk(array);
    const size_t count = json_count(array);
    enum err e = ERR_OK;

    if (count != procedure->ins) {
        text_addf(problem, "expected %zu arguments, found %zu", procedure->ins, count);
        return ERR_TYPE;
    }
    for (size_t i = 0; i < procedure->count && !e; i++) {
        const struct sql_parameter *p = &procedure->parameters[i];

        if (p->direction & SQL_IN && json_next(&w))
            e = add_value(p, w.value, out, problem);
    }
    return e;
}

enum err sql_values_write(const struct sql_procedure *procedure, struct json_span arguments,
                          struct sql_values *out, struct text *problem)
{
    const enum json_kind kind = json_kind(arguments);

    out->count = 0;
    out->at = calloc(procedure->ins + 1, sizeof(*out->at));
    if (!out->at)
        err_out_of_memory();
    switch (kind) {
    case JSON_ARRAY:
        return write_listed(procedure, arguments, out, problem);
    case JSON_OBJECT:
    case JSON_NULL:
    case JSON_ABSENT:
        return write_named(procedure, arguments, out, problem);
    default:
        text_addf(problem, "expected an object or an array of arguments, found a %s",
                  json_kind_name(kind));
        return ERR_TYPE;
    }
}

void sql_values_deinit(struct sql_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        free(values->at[i]);
    free(values->at);
    *values = (struct sql_values){0};
}
