#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * sql_type - the types of parameters and columns: JSON values become the texts that PostgreSQL
 * reads, and its texts JSON values. Nothing is rounded on the way, in either direction.
 *
 *   type             argument                               result
 *   integers         number without a fraction, in range    number
 *   numeric          number, or a string that holds one     number with all of its digits
 *   double, real     number                                 number
 *   boolean          boolean                                boolean
 *   text, varchar    string                                 string
 *   date             "2024-01-31"                           the same
 *   time             "12:00:00.5"                           the same
 *   timestamp        "2024-01-31T12:00:00.5"                the same
 *   timestamptz      the same with "Z" or "+01:00"          the same with "Z"
 *   uuid             its 36 characters                      the same
 *   json, jsonb      any value                              the value
 *   bytea            Base64                                 Base64
 *   TYPE[]           array of these, of one dimension       array
 *
 * NaN, Infinity and -Infinity are strings in both directions, since JSON has no such numbers. Null
 * is null; what a column of any other type holds comes as the string that PostgreSQL prints.
 */

/* What a type's values look like. */
enum sql_form {
    SQL_INTEGER,
    SQL_NUMERIC,
    SQL_FLOAT,
    SQL_BOOLEAN,
    SQL_TEXT,
    SQL_DATE,
    SQL_TIME,
    SQL_TIMESTAMP,
    SQL_TIMESTAMPTZ,
    SQL_UUID,
    SQL_JSON,
    SQL_BYTES,
    SQL_VOID,  /* of a function that returns nothing */
    SQL_OTHER, /* a type of somebody's own */
};

/* One name of a type in the file of processes. */
struct sql_type {
    const char *name;
    const char *cast; /* its name in a statement */
    enum sql_form form;
    int64_t least, most; /* of integers */
};

struct sql_typed {
    const struct sql_type *type;
    bool array;
};

/* "integer", "integer[]". ERR_NOT_FOUND. */
_must_check_ enum err sql_type_find(const char *name, struct sql_typed *out);

/* Adds the names that sql_type_find() knows, for people. */
void sql_type_add_names(struct text *out);

/* Adds the value, which is not null, as PostgreSQL reads it. ERR_TYPE: "expected ..., found ..."
 * was added to `problem`, and *out holds some of it. */
_must_check_ enum err sql_type_write(const struct sql_typed *typed, struct json_span value,
                                     struct text *out, struct text *problem);

/* What a column holds, by the number that PostgreSQL has for its type. */
struct sql_column {
    enum sql_form form;
    bool array;
};

struct sql_column sql_column_of(uint32_t oid);

/* Is that what a parameter of this type was declared to be? Integers may be of another width, and
 * texts of any type that comes as a string. */
bool sql_column_fits(struct sql_column column, const struct sql_typed *typed);

/* Adds the value of a column, as PostgreSQL prints it, as JSON. Absent is null. Texts that are not
 * UTF-8, and JSON that only PostgreSQL accepts, go through: the whole is to be checked. */
void sql_column_write(struct sql_column column, struct json_span value, struct text *out);
