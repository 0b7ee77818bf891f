#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/sync/connectors/arguments.h"
#include "agents/sync/connectors/sql_type.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * sql_declared - the section "sql" of the file of processes: databases, and the procedures and
 * functions in them that may be called. deploy/example/processes.md has its grammar.
 *
 * A statement is put together here, once, of constants, checked identifiers and placeholders;
 * nothing that a client sends ever becomes a part of it.
 *
 * Ownership: strings are borrowed from the tree that the file was read into, but for `statement`.
 * Immutable once loaded, so of all threads, but for a database's pool (sql_pool.h).
 */

struct json_object;
struct sql_pool;

#define SQL_CONNECTIONS_MAX 100
#define SQL_PASSWORD_MAX    1000 /* bytes */
#define SQL_PARAMETERS_MAX  ARGUMENTS_MAX

struct sql_database {
    const char *name;
    const char *url;           /* holds no password */
    const char *password_file; /* NULL: none */
    int64_t connections;       /* open at once */
    struct sql_pool *pool;
};

enum sql_direction { SQL_IN = 1, SQL_OUT = 2, SQL_INOUT = SQL_IN | SQL_OUT };

struct sql_parameter {
    const char *name;
    struct sql_typed typed;
    enum sql_direction direction;
    bool is_call_key; /* goes in, but callers do not give it: it is the call's key */
};

struct sql_procedure {
    const char *name; /* the operation's */
    struct sql_database *database;
    struct sql_parameter *parameters; /* in their order in the database */
    size_t count, ins, outs;          /* of all; of those that go in, that come out */
    bool is_function;
    bool rows;          /* it gives a set of rows */
    int64_t max_rows;   /* of a set */
    int64_t max_bytes;  /* of the answer */
    int64_t timeout_ms; /* for the statement; 0: what the call has */
    char *statement;    /* $1 to $<ins> are the parameters that go in */
};

struct sql_declared {
    struct sql_database *databases;
    size_t database_count;
    struct sql_procedure *procedures; /* by name */
    size_t procedure_count;
};

/* Reads the section, which lives as long as *out. ERR_CONFIG: each mistake is in `problems`, a line
 * with its path. The caller owns *out. */
_must_check_ enum err sql_declared_load(struct json_object *section, struct sql_declared **out,
                                        struct text *problems);
void sql_declared_destroy(struct sql_declared *declared);

/* NULL: there is none. */
const struct sql_procedure *sql_declared_find(const struct sql_declared *declared,
                                              const char *name);
