#include "agents/sync/connectors/sql_type.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/secret.h"

/* The names that people know these types by: of PostgreSQL, of SQL, and of JDBC (spec 3.8). */
static const struct sql_type types[] = {
    // clang-format off
    { "smallint",         "smallint",         SQL_INTEGER,     INT16_MIN, INT16_MAX },
    { "smallinteger",     "smallint",         SQL_INTEGER,     INT16_MIN, INT16_MAX },
    { "tinyint",          "smallint",         SQL_INTEGER,     INT8_MIN,  INT8_MAX  },
    { "tinyinteger",      "smallint",         SQL_INTEGER,     INT8_MIN,  INT8_MAX  },
    { "integer",          "integer",          SQL_INTEGER,     INT32_MIN, INT32_MAX },
    { "int",              "integer",          SQL_INTEGER,     INT32_MIN, INT32_MAX },
    { "bigint",           "bigint",           SQL_INTEGER,     INT64_MIN, INT64_MAX },
    { "biginteger",       "bigint",           SQL_INTEGER,     INT64_MIN, INT64_MAX },
    { "numeric",          "numeric",          SQL_NUMERIC,     0, 0 },
    { "decimal",          "numeric",          SQL_NUMERIC,     0, 0 },
    { "real",             "real",             SQL_FLOAT,       0, 0 },
    { "double",           "double precision", SQL_FLOAT,       0, 0 },
    { "double precision", "double precision", SQL_FLOAT,       0, 0 },
    { "float",            "double precision", SQL_FLOAT,       0, 0 },
    { "boolean",          "boolean",          SQL_BOOLEAN,     0, 0 },
    { "bool",             "boolean",          SQL_BOOLEAN,     0, 0 },
    { "bit",              "boolean",          SQL_BOOLEAN,     0, 0 },
    { "text",             "text",             SQL_TEXT,        0, 0 },
    { "varchar",          "varchar",          SQL_TEXT,        0, 0 },
    { "varchar2",         "varchar",          SQL_TEXT,        0, 0 },
    { "nvarchar",         "varchar",          SQL_TEXT,        0, 0 },
    { "rowid",            "text",             SQL_TEXT,        0, 0 },
    { "date",             "date",             SQL_DATE,        0, 0 },
    { "time",             "time",             SQL_TIME,        0, 0 },
    { "timestamp",        "timestamp",        SQL_TIMESTAMP,   0, 0 },
    { "timestamptz",      "timestamptz",      SQL_TIMESTAMPTZ, 0, 0 },
    { "uuid",             "uuid",             SQL_UUID,        0, 0 },
    { "json",             "json",             SQL_JSON,        0, 0 },
    { "jsonb",            "jsonb",            SQL_JSON,        0, 0 },
    { "bytea",            "bytea",            SQL_BYTES,       0, 0 },
    { "binary",           "bytea",            SQL_BYTES,       0, 0 },
    { "varbinary",        "bytea",            SQL_BYTES,       0, 0 },
    { "blob",             "bytea",            SQL_BYTES,       0, 0 },
    // clang-format on
};

enum err sql_type_find(const char *name, struct sql_typed *out)
{
    const size_t size = strlen(name);
    const bool array = size > 2 && strcmp(name + size - 2, "[]") == 0;
    const size_t plain = array ? size - 2 : size;

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strlen(types[i].name) == plain && memcmp(types[i].name, name, plain) == 0) {
            *out = (struct sql_typed){&types[i], array};
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

void sql_type_add_names(struct text *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        text_addf(out, "%s%s", i ? ", " : "", types[i].name);
}

/* ---- Shapes of strings: '9' is a digit, 'x' a hexadecimal one, all else itself ---- */

static bool has_shape(const char **at, const char *shape)
{
    const char *c = *at;

    for (; *shape; shape++, c++) {
        const bool fits = *shape == '9'   ? isdigit((unsigned char)*c)
                          : *shape == 'x' ? isxdigit((unsigned char)*c)
                                          : *c == *shape;

        if (!fits)
            return false;
    }
    *at = c;
    return true;
}

/* "12:00", "12:00:59", "12:00:59.123456"; digits beyond the sixth would be rounded. */
static bool has_time(const char **at)
{
    if (!has_shape(at, "99:99"))
        return false;
    if (!has_shape(at, ":99"))
        return true;
    if (**at != '.')
        return true;
    *at += 1;
    for (size_t digits = 0; digits <= 6; digits++) {
        if (!has_shape(at, "9"))
            return digits > 0;
    }
    return false;
}

static bool has_zone(const char **at)
{
    return has_shape(at, "Z") || has_shape(at, "+99:99") || has_shape(at, "-99:99");
}

static bool has_date_and_time(const char **at)
{
    return has_shape(at, "9999-99-99") && (has_shape(at, "T") || has_shape(at, " ")) &&
           has_time(at);
}

static bool is_date(const char *str)
{
    return has_shape(&str, "9999-99-99") && !*str;
}

static bool is_time(const char *str)
{
    return has_time(&str) && !*str;
}

static bool is_timestamp(const char *str)
{
    return has_date_and_time(&str) && !*str;
}

static bool is_timestamptz(const char *str)
{
    return has_date_and_time(&str) && has_zone(&str) && !*str;
}

static bool is_uuid(const char *str)
{
    return has_shape(&str, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") && !*str;
}

static bool is_text(const char *str)
{
    (void)str;
    return true;
}

static bool is_no_number(const char *str)
{
    return strcmp(str, "NaN") == 0 || strcmp(str, "Infinity") == 0 || strcmp(str, "-Infinity") == 0;
}

static bool is_numeric(const char *str)
{
    const struct json_limits limits = {.depth = 1, .number_chars = SIZE_MAX};
    const size_t size = strlen(str);

    if (is_no_number(str))
        return true;
    return (*str == '-' || isdigit((unsigned char)*str)) &&
           !isspace((unsigned char)str[size - 1]) && !json_check(str, size, &limits, NULL);
}

/* ---- Arguments ---- */

typedef bool shape_fn(const char *str);

/* What is being written. */
struct writing {
    const struct sql_type *type;
    shape_fn *is_shaped; /* what a string has to look like */
    struct text *out;
};

typedef enum err write_fn(const struct writing *w, struct json_span value);

/* The string behind what is there, if it has the shape. */
static enum err write_string(const struct writing *w, struct json_span value)
{
    const size_t before = w->out->size;

    if (json_decode(value, w->out))
        return ERR_TYPE;
    text_add(w->out, ""); /* so that there is a string */
    if (strlen(w->out->at + before) != w->out->size - before)
        return ERR_RANGE; /* a NUL, which PostgreSQL cannot store */
    return w->is_shaped(w->out->at + before) ? ERR_OK : ERR_RANGE;
}

static enum err write_integer(const struct writing *w, struct json_span value)
{
    int64_t number;
    const enum err e = json_int64(value, &number);

    if (e)
        return json_kind(value) == JSON_NUMBER ? ERR_RANGE : e;
    text_add_i64(w->out, number);
    return w->type->least <= number && number <= w->type->most ? ERR_OK : ERR_RANGE;
}

static enum err write_numeric(const struct writing *w, struct json_span value)
{
    if (json_kind(value) == JSON_STRING)
        return write_string(w, value);
    text_add_bytes(w->out, value.at, value.size);
    return json_kind(value) == JSON_NUMBER ? ERR_OK : ERR_TYPE;
}

/* A number that is too great for the type is refused; digits beyond its precision are not, as of
 * any such number. */
static enum err write_float(const struct writing *w, struct json_span value)
{
    const bool is_real = strcmp(w->type->cast, "real") == 0;
    const size_t before = w->out->size;

    if (json_kind(value) == JSON_STRING)
        return write_string(w, value);
    if (json_kind(value) != JSON_NUMBER)
        return ERR_TYPE;
    text_add_bytes(w->out, value.at, value.size);
    return isfinite(is_real ? strtof(w->out->at + before, NULL) : strtod(w->out->at + before, NULL))
               ? ERR_OK
               : ERR_RANGE;
}

static enum err write_boolean(const struct writing *w, struct json_span value)
{
    if (json_kind(value) != JSON_BOOLEAN)
        return ERR_TYPE;
    text_add(w->out, json_is_true(value) ? "true" : "false");
    return ERR_OK;
}

static enum err write_json(const struct writing *w, struct json_span value)
{
    text_add_bytes(w->out, value.at, value.size);
    return ERR_OK;
}

static enum err write_bytes(const struct writing *w, struct json_span value)
{
    static const char digits[] = "0123456789abcdef";
    _cleanup_(text_deinitp) struct text base64 = {0}, bytes = {0};

    if (json_decode(value, &base64))
        return ERR_TYPE;
    if (secret_from_base64(text_str(&base64), base64.size, &bytes))
        return ERR_RANGE;
    text_add(w->out, "\\x");
    for (size_t i = 0; i < bytes.size; i++) {
        text_add_char(w->out, digits[(unsigned char)bytes.at[i] >> 4]);
        text_add_char(w->out, digits[(unsigned char)bytes.at[i] & 15]);
    }
    return ERR_OK;
}

static const struct kind {
    write_fn *write;
    shape_fn *is_shaped;  /* NULL: strings are none of it */
    const char *expected; /* of integers: before their range */
} kinds[] = {
    // clang-format off
    [SQL_INTEGER]     = { write_integer, NULL,           "a whole number from " },
    [SQL_NUMERIC]     = { write_numeric, is_numeric,     "a number, or a string that holds one" },
    [SQL_FLOAT]       = { write_float,   is_no_number,   "a number within the type's range, \"NaN\", \"Infinity\" or \"-Infinity\"" },
    [SQL_BOOLEAN]     = { write_boolean, NULL,           "a boolean" },
    [SQL_TEXT]        = { write_string,  is_text,        "a string without NUL characters" },
    [SQL_DATE]        = { write_string,  is_date,        "a date like \"2024-01-31\"" },
    [SQL_TIME]        = { write_string,  is_time,        "a time like \"12:00:00\" or \"12:00:00.123456\"" },
    [SQL_TIMESTAMP]   = { write_string,  is_timestamp,   "a time like \"2024-01-31T12:00:00\"" },
    [SQL_TIMESTAMPTZ] = { write_string,  is_timestamptz, "a time like \"2024-01-31T12:00:00Z\" or \"2024-01-31T12:00:00+01:00\"" },
    [SQL_UUID]        = { write_string,  is_uuid,        "a UUID of 36 characters" },
    [SQL_JSON]        = { write_json,    NULL,           "any value" },
    [SQL_BYTES]       = { write_bytes,   NULL,           "a string of Base64" },
    // clang-format on
};

/* "a string", "another string", "null" */
static void add_found(struct text *problem, struct json_span value, bool another)
{
    const enum json_kind kind = json_kind(value);
    const char *article = kind == JSON_ARRAY || kind == JSON_OBJECT ? "an " : "a ";

    if (another)
        article = "another ";
    text_addf(problem, ", found %s%s", kind == JSON_NULL ? "" : article, json_kind_name(kind));
}

static enum err refuse(const struct sql_type *type, struct json_span value, enum err e,
                       struct text *problem)
{
    text_addf(problem, "expected %s", kinds[type->form].expected);
    if (type->form == SQL_INTEGER)
        text_addf(problem, "%" PRId64 " to %" PRId64, type->least, type->most);
    add_found(problem, value, e == ERR_RANGE);
    return ERR_TYPE;
}

static enum err write_one(const struct sql_type *type, struct json_span value, struct text *out,
                          struct text *problem)
{
    const struct kind *kind = &kinds[type->form];
    const enum err e = kind->write(&(struct writing){type, kind->is_shaped, out}, value);

    return e ? refuse(type, value, e, problem) : ERR_OK;
}

/* Always in quotes, in which only two characters need an escape. */
static enum err write_item(const struct sql_type *type, struct json_span value, struct text *out,
                           struct text *problem)
{
    _cleanup_(text_deinitp) struct text item = {0};

    if (json_kind(value) == JSON_NULL) {
        text_add(out, "NULL");
        return ERR_OK;
    }
    if (write_one(type, value, &item, problem))
        return ERR_TYPE;
    text_add_char(out, '"');
    for (size_t i = 0; i < item.size; i++) {
        if (item.at[i] == '"' || item.at[i] == '\\')
            text_add_char(out, '\\');
        text_add_char(out, item.at[i]);
    }
    text_add_char(out, '"');
    return ERR_OK;
}

static enum err write_array(const struct sql_type *type, struct json_span value, struct text *out,
                            struct text *problem)
{
    struct json_walk w = json_walk(value);
    size_t index = 0;

    if (json_kind(value) != JSON_ARRAY) {
        text_add(problem, "expected an array");
        add_found(problem, value, false);
        return ERR_TYPE;
    }
    for (text_add_char(out, '{'); json_next(&w); index++) {
        _cleanup_(text_deinitp) struct text why = {0};

        if (index)
            text_add_char(out, ',');
        if (write_item(type, w.value, out, &why)) {
            text_addf(problem, "item %zu: %s", index, text_str(&why));
            return ERR_TYPE;
        }
    }
    text_add_char(out, '}');
    return ERR_OK;
}

enum err sql_type_write(const struct sql_typed *typed, struct json_span value, struct text *out,
                        struct text *problem)
{
    return typed->array ? write_array(typed->type, value, out, problem)
                        : write_one(typed->type, value, out, problem);
}
