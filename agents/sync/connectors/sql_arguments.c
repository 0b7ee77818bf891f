#include "agents/sync/connectors/sql_arguments.h"

#include <stdlib.h>

#include "agents/sync/connectors/arguments.h"
#include "agents/sync/connectors/sql_declared.h"
#include "agents/sync/host/connector.h"

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
        text_addf(problem, "argument %s: %s", parameter->name, text_str(&why));
        return ERR_TYPE;
    }
    text_add(&text, ""); /* so that there is a string */
    out->at[out->count++] = text_steal(&text);
    return ERR_OK;
}

/* What is left out is null. */
static struct argument_names names_of(const struct sql_procedure *procedure)
{
    struct argument_names names = {.may_miss = true};

    for (size_t i = 0; i < procedure->count; i++) {
        const struct sql_parameter *p = &procedure->parameters[i];

        if (p->direction & SQL_IN && !p->is_call_key)
            names.at[names.count++] = p->name;
    }
    return names;
}

enum err sql_values_write(const struct sql_procedure *procedure, const struct call *call,
                          struct sql_values *out, struct text *problem)
{
    const struct argument_names names = names_of(procedure);
    struct json_span given[ARGUMENTS_MAX], *next = given;
    _cleanup_(text_deinitp) struct text key = {0};
    enum err e = arguments_read(&names, call->arguments, given, problem);

    text_add_json_str(&key, call->key);
    out->count = 0;
    out->at = calloc(procedure->ins + 1, sizeof(*out->at));
    if (!out->at)
        err_out_of_memory();
    for (size_t i = 0; !e && i < procedure->count; i++) {
        const struct sql_parameter *p = &procedure->parameters[i];

        if (p->direction & SQL_IN)
            e = add_value(p, p->is_call_key ? json_span_of(key.at) : *next++, out, problem);
    }
    return e;
}

void sql_values_deinit(struct sql_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        free(values->at[i]);
    free(values->at);
    *values = (struct sql_values){0};
}
