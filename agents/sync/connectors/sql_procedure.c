#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "agents/sync/connectors/sql_declared_private.h"
#include "agents/sync/host/connector.h"
#include "agents/sync/processes/declared.h"
#include "common/json/json_get.h"

#define IDENTIFIER_MAX 63 /* PostgreSQL would cut what is longer */
#define ROWS           1000
#define ROWS_MAX       1000000
#define BYTES          1048576

/* ---- Identifiers ---- */

/* Letters, digits and _ only: the bytes up to the end, or up to the dot before it. */
static bool is_identifier(const char *at, size_t size)
{
    if (size == 0 || size > IDENTIFIER_MAX || isdigit((unsigned char)*at))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)at[i]) && at[i] != '_')
            return false;
    }
    return true;
}

/* schema.name */
static bool is_qualified(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot && is_identifier(name, (size_t)(dot - name)) &&
           is_identifier(dot + 1, strlen(dot + 1));
}

/* ---- Parameters ---- */

static enum sql_direction direction_of(const char *name)
{
    static const struct {
        const char *name;
        enum sql_direction direction;
    } directions[] = {{"IN", SQL_IN}, {"OUT", SQL_OUT}, {"INOUT", SQL_INOUT}};

    for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
        if (strcmp(directions[i].name, name) == 0)
            return directions[i].direction;
    }
    return 0;
}

static void load_type(const struct sql_loading *l, const struct sql_member *row,
                      struct sql_parameter *parameter)
{
    const char *type;

    if (json_get_string(row->object, row->path, "type", true, &type, l->problems) ||
        !sql_type_find(type, &parameter->typed))
        return;
    text_addf(l->problems, "%s.type: expected one of ", row->path);
    sql_type_add_names(l->problems);
    text_add(l->problems, ", or one of these with [] behind it\n");
}

static void load_direction(const struct sql_loading *l, const struct sql_member *row,
                           struct sql_parameter *parameter)
{
    const char *direction;

    parameter->direction = SQL_IN;
    if (json_get_string(row->object, row->path, "direction", false, &direction, l->problems))
        return;
    parameter->direction = direction_of(direction);
    if (!parameter->direction)
        text_addf(l->problems, "%s.direction: expected IN, OUT or INOUT\n", row->path);
}

/* What the agent gives has a type that a UUID fits. */
static void load_value(const struct sql_loading *l, const struct sql_member *row,
                       struct sql_parameter *parameter)
{
    const struct sql_type *type = parameter->typed.type;
    const char *value;

    if (json_get_string(row->object, row->path, "value", false, &value, l->problems))
        return;
    parameter->is_call_key = true;
    if (strcmp(value, ARGUMENTS_CALL_KEY) != 0)
        text_addf(l->problems, "%s.value: expected " ARGUMENTS_CALL_KEY "\n", row->path);
    else if (parameter->direction != SQL_IN || parameter->typed.array ||
             (type && type->form != SQL_TEXT && type->form != SQL_UUID))
        text_addf(l->problems,
                  "%s.value: " ARGUMENTS_CALL_KEY " only goes in, as a text, varchar or uuid\n",
                  row->path);
}

static void load_parameter(const struct sql_loading *l, const struct sql_member *row,
                           struct sql_procedure *procedure)
{
    static const char *const members[] = {"name", "type", "direction", "value", NULL};
    struct sql_parameter *parameter = &procedure->parameters[procedure->count];

    if (!json_object_is_type(row->object, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", row->path);
        return;
    }
    json_get_only(row->object, row->path, members, l->problems);
    load_type(l, row, parameter);
    load_direction(l, row, parameter);
    load_value(l, row, parameter);
    if (json_get_string(row->object, row->path, "name", true, &parameter->name, l->problems))
        return;
    if (!is_identifier(parameter->name, strlen(parameter->name)))
        text_addf(l->problems, "%s.name: expected 1 to %d letters, digits and _, no digit first\n",
                  row->path, IDENTIFIER_MAX);
    for (size_t i = 0; i < procedure->count; i++) {
        if (strcmp(procedure->parameters[i].name, parameter->name) == 0)
            text_addf(l->problems, "%s.name: another parameter has this name\n", row->path);
    }
    procedure->ins += (parameter->direction & SQL_IN) != 0;
    procedure->outs += (parameter->direction & SQL_OUT) != 0;
    procedure->count++;
}

static void load_parameters(const struct sql_loading *l, const struct sql_member *row,
                            struct sql_procedure *procedure)
{
    struct json_object *list;
    size_t count;

    if (json_get_array(row->object, row->path, "parameters", false, &list, l->problems))
        return;
    count = json_object_array_length(list);
    if (count > SQL_PARAMETERS_MAX) {
        text_addf(l->problems, "%s.parameters: expected at most %d\n", row->path,
                  SQL_PARAMETERS_MAX);
        return;
    }
    procedure->parameters = calloc(count + 1, sizeof(*procedure->parameters));
    if (!procedure->parameters)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++) {
        _cleanup_(text_deinitp) struct text path = {0};

        text_addf(&path, "%s.parameters[%zu]", row->path, i);
        load_parameter(
            l, &(struct sql_member){NULL, text_str(&path), json_object_array_get_idx(list, i)},
            procedure);
    }
}

/* ---- Procedures ---- */

static struct sql_database *database_of(const struct sql_loading *l, const char *name)
{
    for (size_t i = 0; i < l->declared->database_count; i++) {
        if (strcmp(l->declared->databases[i].name, name) == 0)
            return &l->declared->databases[i];
    }
    return NULL;
}

static void load_call(const struct sql_loading *l, const struct sql_member *row,
                      struct sql_procedure *procedure)
{
    const char *call;

    if (json_get_string(row->object, row->path, "call", true, &call, l->problems))
        return;
    procedure->is_function = strcmp(call, "function") == 0;
    if (!procedure->is_function && strcmp(call, "procedure") != 0)
        text_addf(l->problems, "%s.call: expected procedure or function\n", row->path);
}

/* A number that may be absent, from 1. */
static void load_number(const struct sql_loading *l, const struct sql_member *row, const char *name,
                        int64_t most, int64_t *out)
{
    const struct json_int wanted = {.least = 1, .most = most};
    const int64_t otherwise = *out;

    if (json_get_int(row->object, row->path, name, &wanted, out, l->problems))
        *out = otherwise;
}

static void load_limits(const struct sql_loading *l, const struct sql_member *row,
                        struct sql_procedure *procedure)
{
    procedure->max_rows = ROWS;
    procedure->max_bytes = BYTES;
    if (json_get_bool(row->object, row->path, "rows", &procedure->rows, l->problems))
        procedure->rows = false;
    load_number(l, row, "maxRows", ROWS_MAX, &procedure->max_rows);
    load_number(l, row, "maxBytes", CONNECTOR_BYTES_MAX, &procedure->max_bytes);
    load_number(l, row, "timeoutMs", PROCESS_DEADLINE_MAX, &procedure->timeout_ms);
    if (procedure->rows && !procedure->is_function)
        text_addf(l->problems, "%s.rows: only of a function\n", row->path);
    if (procedure->rows && procedure->outs)
        text_addf(l->problems,
                  "%s.rows: the columns of rows are not declared, but there are parameters that "
                  "come out\n",
                  row->path);
    if (!procedure->rows && json_object_object_get_ex(row->object, "maxRows", NULL))
        text_addf(l->problems, "%s.maxRows: only with rows\n", row->path);
}

static void load_database_name(const struct sql_loading *l, const struct sql_member *row,
                               struct sql_procedure *procedure)
{
    const char *name;

    if (json_get_string(row->object, row->path, "database", true, &name, l->problems))
        return;
    procedure->database = database_of(l, name);
    if (!procedure->database)
        text_addf(l->problems, "%s.database: no database is declared by this name\n", row->path);
}

/* What goes in is a placeholder of its type; what only comes out has to be there in a CALL, and
 * must not in a function's. */
static void add_parameters(const struct sql_procedure *procedure, struct text *out)
{
    size_t placeholder = 0, written = 0;

    for (size_t i = 0; i < procedure->count; i++) {
        const struct sql_parameter *p = &procedure->parameters[i];

        if (p->direction == SQL_OUT && procedure->is_function)
            continue;
        text_add(out, written++ ? ", " : "");
        if (p->direction & SQL_IN)
            text_addf(out, "$%zu", ++placeholder);
        else
            text_add(out, "NULL");
        text_addf(out, "::%s%s", p->typed.type->cast, p->typed.array ? "[]" : "");
    }
}

/* `name` is schema.name. One row more than allowed tells that there are too many. */
static void write_statement(struct sql_procedure *procedure, const char *name)
{
    const char *dot = strchr(name, '.');
    struct text out = {0};

    text_add(&out, procedure->is_function ? "SELECT * FROM " : "CALL ");
    text_addf(&out, "\"%.*s\".\"%s\"(", (int)(dot - name), name, dot + 1);
    add_parameters(procedure, &out);
    text_add_char(&out, ')');
    if (procedure->is_function)
        text_addf(&out, " LIMIT %lld", procedure->rows ? (long long)procedure->max_rows + 1 : 2LL);
    procedure->statement = text_steal(&out);
}

void sql_procedure_load(const struct sql_loading *l, const struct sql_member *row,
                        struct sql_procedure *procedure)
{
    static const char *const members[] = {"run",      "deadlineMs", "database", "call",
                                          "name",     "parameters", "rows",     "maxRows",
                                          "maxBytes", "timeoutMs",  NULL};
    const size_t problems_before = l->problems->size;
    const char *name;

    procedure->name = row->name;
    json_get_only(row->object, row->path, members, l->problems);
    load_database_name(l, row, procedure);
    load_call(l, row, procedure);
    load_parameters(l, row, procedure);
    load_limits(l, row, procedure);
    if (json_get_string(row->object, row->path, "name", true, &name, l->problems))
        return;
    if (!is_qualified(name))
        text_addf(l->problems,
                  "%s.name: expected schema.name, each of 1 to %d letters, digits and _, no digit "
                  "first\n",
                  row->path, IDENTIFIER_MAX);
    if (l->problems->size == problems_before)
        write_statement(procedure, name);
}
