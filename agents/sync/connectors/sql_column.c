#include <ctype.h>
#include <string.h>

#include "agents/sync/connectors/sql_type.h"
#include "common/base/secret.h"

/* Of PostgreSQL's catalogue (pg_type.dat), whose numbers stay what they are. */
static const struct known {
    uint32_t oid, array; /* of the type and of arrays of it; 0: there is none */
    enum sql_form form;
} known[] = {
    // clang-format off
    { 16,   1000, SQL_BOOLEAN     },
    { 17,   1001, SQL_BYTES       },
    { 19,   1003, SQL_TEXT        }, /* name */
    { 20,   1016, SQL_INTEGER     }, /* bigint */
    { 21,   1005, SQL_INTEGER     }, /* smallint */
    { 23,   1007, SQL_INTEGER     }, /* integer */
    { 25,   1009, SQL_TEXT        },
    { 26,   1028, SQL_INTEGER     }, /* oid */
    { 114,  199,  SQL_JSON        },
    { 700,  1021, SQL_FLOAT       }, /* real */
    { 701,  1022, SQL_FLOAT       }, /* double precision */
    { 1042, 1014, SQL_TEXT        }, /* char(n) */
    { 1043, 1015, SQL_TEXT        }, /* varchar */
    { 1082, 1182, SQL_DATE        },
    { 1083, 1183, SQL_TIME        },
    { 1114, 1115, SQL_TIMESTAMP   },
    { 1184, 1185, SQL_TIMESTAMPTZ },
    { 1700, 1231, SQL_NUMERIC     },
    { 2278, 0,    SQL_VOID        },
    { 2950, 2951, SQL_UUID        },
    { 3802, 3807, SQL_JSON        }, /* jsonb */
    // clang-format on
};

struct sql_column sql_column_of(uint32_t oid)
{
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (oid == known[i].oid || (oid && oid == known[i].array))
            return (struct sql_column){known[i].form, oid == known[i].array};
    }
    return (struct sql_column){SQL_OTHER, false};
}

bool sql_column_fits(struct sql_column column, const struct sql_typed *typed)
{
    const enum sql_form form = column.form == SQL_OTHER ? SQL_TEXT : column.form;

    return form == typed->type->form && column.array == typed->array;
}

/* ---- Single values ---- */

static void write_string(struct text *out, struct json_span value)
{
    text_add_json(out, value.at, value.size);
}

/* NaN and the infinities are strings. */
static void write_number(struct text *out, struct json_span value)
{
    if (value.size && (isdigit((unsigned char)value.at[value.size - 1])))
        text_add_bytes(out, value.at, value.size);
    else
        write_string(out, value);
}

static void write_boolean(struct text *out, struct json_span value)
{
    text_add(out, value.size && *value.at == 't' ? "true" : "false");
}

static void write_raw(struct text *out, struct json_span value)
{
    text_add_bytes(out, value.at, value.size);
}

static void write_null(struct text *out, struct json_span value)
{
    (void)value;
    text_add(out, "null");
}

/* "2024-01-31 12:00:00+00" is "2024-01-31T12:00:00Z", since calls run in UTC; "infinity" and years
 * before Christ stay as they are. */
static void write_timestamp(struct text *out, struct json_span value)
{
    _cleanup_(text_deinitp) struct text iso = {0};
    char *space;

    text_add_bytes(&iso, value.at, value.size);
    if (!iso.size || !isdigit((unsigned char)iso.at[iso.size - 1])) {
        write_string(out, value);
        return;
    }
    space = strchr(iso.at, ' ');
    if (space)
        *space = 'T';
    if (iso.size > 3 && strcmp(iso.at + iso.size - 3, "+00") == 0) {
        text_cut(&iso, iso.size - 3);
        text_add_char(&iso, 'Z');
    }
    text_add_json(out, iso.at, iso.size);
}

static int nibble(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* PostgreSQL prints \x and hexadecimal digits. */
static void write_bytes(struct text *out, struct json_span value)
{
    _cleanup_(text_deinitp) struct text bytes = {0};

    for (size_t i = 2; i + 1 < value.size; i += 2)
        text_add_char(&bytes, (char)(nibble(value.at[i]) << 4 | nibble(value.at[i + 1])));
    text_add_char(out, '"');
    secret_add_base64(out, text_str(&bytes), bytes.size);
    text_add_char(out, '"');
}

static void (*const writers[])(struct text *out, struct json_span value) = {
    // clang-format off
    [SQL_INTEGER]     = write_number,
    [SQL_NUMERIC]     = write_number,
    [SQL_FLOAT]       = write_number,
    [SQL_BOOLEAN]     = write_boolean,
    [SQL_TEXT]        = write_string,
    [SQL_DATE]        = write_string,
    [SQL_TIME]        = write_string,
    [SQL_TIMESTAMP]   = write_timestamp,
    [SQL_TIMESTAMPTZ] = write_timestamp,
    [SQL_UUID]        = write_string,
    [SQL_JSON]        = write_raw,
    [SQL_BYTES]       = write_bytes,
    [SQL_VOID]        = write_null,
    [SQL_OTHER]       = write_string,
    // clang-format on
};

/* ---- Arrays: {1,NULL,"a \"b\""}, nested once for each dimension ---- */

/* Takes an item off the front of `*at`, without quotes and escapes. */
static void take_item(const char **at, const char *end, struct text *item)
{
    const bool quoted = *at < end && **at == '"';

    for (*at += quoted; *at < end; (*at)++) {
        if (quoted ? **at == '"' : **at == ',' || **at == '}')
            break;
        if (**at == '\\' && *at + 1 < end)
            (*at)++;
        text_add_char(item, **at);
    }
    *at += quoted;
}

static void write_item(enum sql_form form, const char **at, const char *end, struct text *out)
{
    _cleanup_(text_deinitp) struct text item = {0};
    const bool quoted = **at == '"';

    take_item(at, end, &item);
    if (!quoted && text_equals(&item, "NULL"))
        text_add(out, "null");
    else
        writers[form](out, (struct json_span){text_str(&item), item.size});
}

/* PostgreSQL nests at most 6 levels. */
static void write_array(enum sql_form form, const char **at, const char *end, struct text *out)
{
    text_add_char(out, '[');
    for ((*at)++; *at < end && **at != '}';) {
        if (**at == ',') {
            text_add_char(out, ',');
            (*at)++;
        } else if (**at == '{') {
            write_array(form, at, end, out);
        } else {
            write_item(form, at, end, out);
        }
    }
    (*at)++;
    text_add_char(out, ']');
}

void sql_column_write(struct sql_column column, struct json_span value, struct text *out)
{
    const char *end = value.at + value.size, *at;

    if (!value.at) {
        text_add(out, "null");
    } else if (!column.array) {
        writers[column.form](out, value);
    } else {
        at = memchr(value.at, '{', value.size); /* in front of it may be bounds: [0:1]={1,2} */
        if (at)
            write_array(column.form, &at, end, out);
        else
            write_string(out, value);
    }
}
