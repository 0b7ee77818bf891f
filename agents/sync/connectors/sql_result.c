#include "agents/sync/connectors/sql_result.h"

#include <inttypes.h>

#include "agents/sync/connectors/sql_declared.h"

/* A client's own limits hold for its answer; these are for the syntax. */
static const struct json_limits limits = {.depth = JSON_DEPTH_MAX, .number_chars = SIZE_MAX};

static void add_value(struct text *out, const struct sql_row *row, size_t column)
{
    sql_column_write(sql_column_of(sql_row_type(row, column)), sql_row_value(row, column), out);
}

/* ---- Objects ---- */

/* PostgreSQL sees to it that columns differ in their names. */
static void add_columns(struct sql_result *r, const struct sql_row *row)
{
    text_add_char(&r->body, '{');
    for (size_t i = 0; i < row->count; i++) {
        if (i)
            text_add_char(&r->body, ',');
        text_add_json_str(&r->body, sql_row_name(row, i));
        text_add_char(&r->body, ':');
        add_value(&r->body, row, i);
    }
    text_add_char(&r->body, '}');
}

static enum err add_set_row(struct sql_result *r, const struct sql_row *row)
{
    if (r->rows > r->procedure->max_rows) {
        text_addf(&r->problem, "it gives more than %" PRId64 " rows", r->procedure->max_rows);
        return ERR_RANGE;
    }
    text_add_char(&r->body, r->rows == 1 ? '[' : ',');
    add_columns(r, row);
    return ERR_OK;
}

static enum err check_out(struct sql_result *r, const struct sql_parameter *parameter,
                          uint32_t type)
{
    if (sql_column_fits(sql_column_of(type), &parameter->typed))
        return ERR_OK;
    text_addf(&r->problem, "parameter \"%s\" is declared as %s%s, but has another type",
              parameter->name, parameter->typed.type->name, parameter->typed.array ? "[]" : "");
    return ERR_TYPE;
}

static enum err add_outs(struct sql_result *r, const struct sql_row *row)
{
    const struct sql_procedure *procedure = r->procedure;
    enum err e = ERR_OK;

    if (row->count != procedure->outs) {
        text_addf(&r->problem, "%zu parameters that come out are declared, but there are %zu",
                  procedure->outs, row->count);
        return ERR_TYPE;
    }
    for (size_t i = 0, column = 0; i < procedure->count && !e; i++) {
        const struct sql_parameter *p = &procedure->parameters[i];

        if (!(p->direction & SQL_OUT))
            continue;
        text_addf(&r->body, "%s\"%s\":", column ? "," : "{", p->name); /* an identifier */
        add_value(&r->body, row, column);
        e = check_out(r, p, sql_row_type(row, column++));
    }
    text_add_char(&r->body, '}');
    return e;
}

static enum err add_returned(struct sql_result *r, const struct sql_row *row)
{
    if (row->count == 1)
        add_value(&r->body, row, 0);
    else
        add_columns(r, row);
    return ERR_OK;
}

static enum err add_single(struct sql_result *r, const struct sql_row *row)
{
    if (r->rows > 1) {
        text_add(&r->problem, "it gives more than one row, but is not declared to");
        return ERR_TYPE;
    }
    return r->procedure->outs || !r->procedure->is_function ? add_outs(r, row)
                                                            : add_returned(r, row);
}

enum err sql_result_add(void *arg, const struct sql_row *row)
{
    struct sql_result *r = arg;
    enum err e;

    r->rows++;
    e = r->procedure->rows ? add_set_row(r, row) : add_single(r, row);
    if (!e && r->body.size > (size_t)r->procedure->max_bytes) {
        text_addf(&r->problem, "its result has more than %" PRId64 " bytes",
                  r->procedure->max_bytes);
        e = ERR_RANGE;
    }
    return e;
}

static const char *without_rows(const struct sql_procedure *procedure)
{
    if (procedure->rows)
        return "[";
    return procedure->is_function || procedure->outs ? "null" : "{}";
}

enum err sql_result_end(struct sql_result *r)
{
    if (r->rows == 0)
        text_add(&r->body, without_rows(r->procedure));
    if (r->procedure->rows)
        text_add_char(&r->body, ']');
    if (!json_check(text_str(&r->body), r->body.size, &limits, NULL))
        return ERR_OK;
    text_add(&r->problem, "its result holds a text that is not UTF-8, or JSON that is not strict");
    return ERR_MALFORMED;
}

void sql_result_deinit(struct sql_result *r)
{
    text_deinit(&r->body);
    text_deinit(&r->problem);
}
