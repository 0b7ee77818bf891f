#include "agents/sync/connectors/sql_declared.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "agents/sync/connectors/sql_declared_private.h"
#include "agents/sync/connectors/sql_link.h"
#include "agents/sync/connectors/sql_pool.h"
#include "common/base/one_line.h"
#include "common/json/json_get.h"

#define CONNECTIONS 4

/* ---- Databases ---- */

static void load_password(const struct sql_loading *l, const struct sql_member *row,
                          struct sql_database *database)
{
    _cleanup_(text_deinitp) struct text password = {0};
    const char *why;

    if (json_get_string(row->object, row->path, "passwordFile", false, &database->password_file,
                        l->problems))
        return;
    why = one_line_add_file(&password, database->password_file, SQL_PASSWORD_MAX);
    if (why)
        text_addf(l->problems, "%s.passwordFile: %s: %s\n", row->path, database->password_file,
                  why);
}

static void load_database(const struct sql_loading *l, const struct sql_member *row,
                          struct sql_database *database)
{
    static const char *const members[] = {"url", "passwordFile", "connections", NULL};
    const struct json_int wanted = {.least = 1, .most = SQL_CONNECTIONS_MAX};
    const char *fault = NULL;

    database->name = row->name;
    database->connections = CONNECTIONS;
    json_get_only(row->object, row->path, members, l->problems);
    if (!json_get_string(row->object, row->path, "url", true, &database->url, l->problems))
        fault = sql_link_url_fault(database->url);
    if (fault)
        text_addf(l->problems, "%s.url: %s\n", row->path, fault);
    load_password(l, row, database);
    if (json_get_int(row->object, row->path, "connections", &wanted, &database->connections,
                     l->problems))
        database->connections = CONNECTIONS;
    database->pool = sql_pool_create(database);
}

/* ---- All of it ---- */

/* Reads the rows of one member of the section. */
static void load_rows(const struct sql_loading *l, struct json_object *rows, const char *path,
                      void (*load)(const struct sql_loading *l, const struct sql_member *row,
                                   size_t index))
{
    struct json_object_iter row;
    size_t index = 0;

    json_object_object_foreachC(rows, row)
    {
        _cleanup_(text_deinitp) struct text row_path = {0};

        text_addf(&row_path, "%s.%s", path, row.key);
        if (json_object_is_type(row.val, json_type_object))
            load(l, &(struct sql_member){row.key, text_str(&row_path), row.val}, index++);
        else
            text_addf(l->problems, "%s: expected an object\n", text_str(&row_path));
    }
}

static void load_database_at(const struct sql_loading *l, const struct sql_member *row,
                             size_t index)
{
    load_database(l, row, &l->declared->databases[index]);
    l->declared->database_count = index + 1;
}

static void load_procedure_at(const struct sql_loading *l, const struct sql_member *row,
                              size_t index)
{
    l->declared->procedure_count = index + 1;
    sql_procedure_load(l, row, &l->declared->procedures[index]);
}

static void *room_for(struct json_object *rows, size_t size)
{
    void *room = calloc((size_t)json_object_object_length(rows) + 1, size);

    if (!room)
        err_out_of_memory();
    return room;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sql_procedure *)a)->name, ((const struct sql_procedure *)b)->name);
}

static void load_section(const struct sql_loading *l, struct json_object *section)
{
    static const char *const members[] = {"threads", "databases", "procedures", NULL};
    struct sql_declared *declared = l->declared;
    struct json_object *rows;

    json_get_only(section, "sql", members, l->problems);
    if (!json_get_object(section, "sql", "databases", false, &rows, l->problems)) {
        declared->databases = room_for(rows, sizeof(*declared->databases));
        load_rows(l, rows, "sql.databases", load_database_at);
    }
    if (!json_get_object(section, "sql", "procedures", false, &rows, l->problems)) {
        declared->procedures = room_for(rows, sizeof(*declared->procedures));
        load_rows(l, rows, "sql.procedures", load_procedure_at);
        qsort(declared->procedures, declared->procedure_count, sizeof(*declared->procedures),
              by_name);
    }
}

enum err sql_declared_load(struct json_object *section, struct sql_declared **out,
                           struct text *problems)
{
    struct sql_declared *declared = calloc(1, sizeof(*declared));
    const size_t problems_before = problems->size;

    if (!declared)
        err_out_of_memory();
    load_section(&(struct sql_loading){declared, problems}, section);
    if (problems->size > problems_before) {
        sql_declared_destroy(declared);
        return ERR_CONFIG;
    }
    *out = declared;
    return ERR_OK;
}

void sql_declared_destroy(struct sql_declared *declared)
{
    if (!declared)
        return;
    for (size_t i = 0; i < declared->database_count; i++)
        sql_pool_destroy(declared->databases[i].pool);
    for (size_t i = 0; i < declared->procedure_count; i++) {
        free(declared->procedures[i].parameters);
        free(declared->procedures[i].statement);
    }
    free(declared->databases);
    free(declared->procedures);
    free(declared);
}

const struct sql_procedure *sql_declared_find(const struct sql_declared *declared, const char *name)
{
    const struct sql_procedure wanted = {.name = name};

    return declared->procedure_count
               ? bsearch(&wanted, declared->procedures, declared->procedure_count,
                         sizeof(*declared->procedures), by_name)
               : NULL;
}
