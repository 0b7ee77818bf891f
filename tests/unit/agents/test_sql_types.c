#include <string.h>

#include "agents/sync/connectors/sql_arguments.h"
#include "agents/sync/connectors/sql_declared.h"
#include "agents/sync/connectors/sql_type.h"
#include "agents/sync/host/connector.h"
#include "tests/support/unit.h"

/* Values on their way into PostgreSQL, and out of it. */

#define TEXT _cleanup_(text_deinitp) struct text

static struct sql_typed typed(const char *name)
{
    struct sql_typed found;

    assert_ok(sql_type_find(name, &found));
    return found;
}

/* ---- In ---- */

static void assert_written(const char *type, const char *json, const char *expected)
{
    const struct sql_typed t = typed(type);
    TEXT out = {0}, problem = {0};

    ck_assert_msg(!sql_type_write(&t, json_span_of(json), &out, &problem), "%s of %s: %s", json,
                  type, text_str(&problem));
    assert_text(&out, expected);
}

static void assert_refused(const char *type, const char *json, const char *why)
{
    const struct sql_typed t = typed(type);
    TEXT out = {0}, problem = {0};

    ck_assert_msg(sql_type_write(&t, json_span_of(json), &out, &problem) == ERR_TYPE, "%s of %s",
                  json, type);
    assert_contains(text_str(&problem), why);
}

START_TEST(integers_have_the_range_of_their_type)
{
    assert_written("smallint", "-32768", "-32768");
    assert_refused("smallint", "-32769",
                   "expected a whole number from -32768 to 32767, found another number");
    assert_refused("smallint", "32768", "another number");
    assert_written("tinyint", "127", "127");
    assert_refused("tinyint", "128", "from -128 to 127");
    assert_written("integer", "2147483647", "2147483647");
    assert_refused("int", "2147483648", "from -2147483648 to 2147483647");
    assert_written("bigint", "-9223372036854775808", "-9223372036854775808");
    assert_refused("bigint", "9223372036854775808", "another number");
    assert_refused("bigint", "1.0", "another number");
    assert_refused("bigint", "\"1\"", "found a string");
}
END_TEST

START_TEST(decimal_numbers_keep_their_digits)
{
    assert_written("numeric", "12345678901234567890.10", "12345678901234567890.10");
    assert_written("decimal", "\"-0.10\"", "-0.10");
    assert_written("numeric", "\"NaN\"", "NaN");
    assert_written("numeric", "1e3", "1e3");
    assert_refused("numeric", "\"0x10\"", "expected a number, or a string that holds one");
    assert_refused("numeric", "\"1 \"", "another string");
    assert_refused("numeric", "\"\"", "another string");
    assert_refused("numeric", "true", "found a boolean");
}
END_TEST

START_TEST(binary_fractions_have_the_range_of_their_type)
{
    assert_written("double", "1e308", "1e308");
    assert_refused("double", "1e309", "another number");
    assert_written("real", "3.4e38", "3.4e38");
    assert_refused("real", "3.5e38", "another number");
    assert_written("float", "\"-Infinity\"", "-Infinity");
    assert_refused("float", "\"infinite\"", "another string");
    assert_refused("double", "{}", "found an object");
}
END_TEST

START_TEST(strings_have_the_shape_of_their_type)
{
    assert_written("date", "\"2024-02-29\"", "2024-02-29");
    assert_refused("date", "\"2024-2-29\"", "expected a date like \"2024-01-31\"");
    assert_refused("date", "\"now\"", "another string");
    assert_refused("date", "\"2024-02-29 \"", "another string");
    assert_refused("date", "20240229", "found a number");
    assert_written("time", "\"12:00\"", "12:00");
    assert_written("time", "\"12:00:59.123456\"", "12:00:59.123456");
    assert_refused("time", "\"12:00:59.1234567\"", "expected a time");
    assert_refused("time", "\"12:00:59.\"", "expected a time");
    assert_written("timestamp", "\"2024-01-31T12:00:00\"", "2024-01-31T12:00:00");
    assert_written("timestamp", "\"2024-01-31 12:00\"", "2024-01-31 12:00");
    assert_refused("timestamp", "\"2024-01-31T12:00:00Z\"", "another string");
    assert_written("timestamptz", "\"2024-01-31T12:00:00-03:30\"", "2024-01-31T12:00:00-03:30");
    assert_refused("timestamptz", "\"2024-01-31T12:00:00\"", "another string");
    assert_written("uuid", "\"0A0b0c0d-0000-4000-8000-00000000000f\"",
                   "0A0b0c0d-0000-4000-8000-00000000000f");
    assert_refused("uuid", "\"0A0b0c0d-0000-4000-8000-00000000000g\"", "expected a UUID");
    assert_refused("uuid", "\"0A0b0c0d\"", "expected a UUID");
}
END_TEST

START_TEST(other_kinds_are_refused)
{
    assert_written("boolean", "true", "true");
    assert_refused("boolean", "0", "expected a boolean, found a number");
    assert_refused("boolean", "\"true\"", "found a string");
    assert_written("text", "\"it's \\u00e9\"", "it's é");
    assert_written("varchar", "\"\"", "");
    assert_refused("text", "\"a\\u0000b\"", "expected a string without NUL characters");
    assert_refused("text", "[]", "found an array");
    assert_written("jsonb", "{\"a\":[1.10]}", "{\"a\":[1.10]}");
    assert_written("bytea", "\"AP8=\"", "\\x00ff");
    assert_refused("bytea", "\"AP8\"", "expected a string of Base64, found another string");
    assert_refused("bytea", "null", "found null");
}
END_TEST

START_TEST(arrays_are_quoted)
{
    assert_written("integer[]", "[1,null,-2]", "{\"1\",NULL,\"-2\"}");
    assert_written("text[]", "[\"a,b\",\"{\\\"\\\\\",\"null\",\"\"]",
                   "{\"a,b\",\"{\\\"\\\\\",\"null\",\"\"}");
    assert_written("json[]", "[[1],{\"a\":\"\"}]", "{\"[1]\",\"{\\\"a\\\":\\\"\\\"}\"}");
    assert_written("bytea[]", "[\"AP8=\"]", "{\"\\\\x00ff\"}");
    assert_written("text[]", "[]", "{}");
    assert_refused("integer[]", "[1,[2]]", "item 1: expected a whole number");
    assert_refused("integer[]", "1", "expected an array, found a number");
}
END_TEST

START_TEST(unknown_types_are_not_found)
{
    static const char *const names[] = {"", "[]", "integer[][]", "Integer", "integer ", "money"};
    struct sql_typed found;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_err(sql_type_find(names[i], &found), ERR_NOT_FOUND);
}
END_TEST

/* ---- Out ---- */

static void assert_read(uint32_t oid, const char *printed, const char *expected)
{
    TEXT out = {0};

    sql_column_write(sql_column_of(oid), (struct json_span){printed, printed ? strlen(printed) : 0},
                     &out);
    assert_text(&out, expected);
}

START_TEST(columns_are_told_by_their_types)
{
    assert_read(20, "9007199254740993", "9007199254740993");
    assert_read(1700, "1.10", "1.10");
    assert_read(1700, "NaN", "\"NaN\"");
    assert_read(701, "-Infinity", "\"-Infinity\"");
    assert_read(701, "1e+300", "1e+300");
    assert_read(16, "t", "true");
    assert_read(16, "f", "false");
    assert_read(25, "a\"b", "\"a\\\"b\"");
    assert_read(25, "", "\"\"");
    assert_read(25, NULL, "null");
    assert_read(114, "{\"a\": 1}", "{\"a\": 1}");
    assert_read(17, "\\x00ff", "\"AP8=\"");
    assert_read(17, "\\x", "\"\"");
    assert_read(2278, "", "null");
    assert_read(12345678, "(1,2)", "\"(1,2)\"");
}
END_TEST

START_TEST(times_are_told_in_iso_form)
{
    assert_read(1082, "2024-01-31", "\"2024-01-31\"");
    assert_read(1114, "2024-01-31 12:00:00.5", "\"2024-01-31T12:00:00.5\"");
    assert_read(1184, "2024-01-31 12:00:00+00", "\"2024-01-31T12:00:00Z\"");
    assert_read(1114, "infinity", "\"infinity\"");
    assert_read(1114, "0044-03-15 00:00:00 BC", "\"0044-03-15 00:00:00 BC\"");
}
END_TEST

START_TEST(arrays_are_told_whole)
{
    assert_read(1007, "{1,NULL,-3}", "[1,null,-3]");
    assert_read(1007, "{}", "[]");
    assert_read(1007, "{{1,2},{3,4}}", "[[1,2],[3,4]]");
    assert_read(1007, "[0:1]={1,2}", "[1,2]");
    assert_read(1009, "{a,\"b,{}\",\"\\\"\\\\\",\"NULL\",\"\"}",
                "[\"a\",\"b,{}\",\"\\\"\\\\\",\"NULL\",\"\"]");
    assert_read(3807, "{\"{\\\"a\\\": [1, 2]}\",NULL}", "[{\"a\": [1, 2]},null]");
    assert_read(1001, "{\"\\\\x00ff\"}", "[\"AP8=\"]");
    assert_read(1185, "{\"2024-01-31 12:00:00+00\"}", "[\"2024-01-31T12:00:00Z\"]");
}
END_TEST

START_TEST(a_column_has_to_be_what_is_declared)
{
    const struct sql_typed integer = typed("integer"), list = typed("integer[]"),
                           text = typed("text");

    ck_assert(sql_column_fits(sql_column_of(20), &integer)); /* a bigint */
    ck_assert(!sql_column_fits(sql_column_of(25), &integer));
    ck_assert(!sql_column_fits(sql_column_of(1007), &integer));
    ck_assert(sql_column_fits(sql_column_of(1007), &list));
    ck_assert(sql_column_fits(sql_column_of(1043), &text));
    ck_assert(sql_column_fits(sql_column_of(12345678), &text));
}
END_TEST

/* ---- Arguments of a call ---- */

static struct sql_parameter parameters[] = {
    {.name = "a", .direction = SQL_IN},
    {.name = "sum", .direction = SQL_OUT},
    {.name = "id", .direction = SQL_IN, .is_call_key = true},
    {.name = "b", .direction = SQL_INOUT},
};
static const struct sql_procedure procedure = {
    .parameters = parameters, .count = ARRAY_SIZE(parameters), .ins = 3, .outs = 2};

/* What the placeholders get, or why not. */
static void write_arguments(const char *json, struct text *out)
{
    const struct call call = {.arguments = json_span_of(json), .key = "the key"};
    struct sql_values values = {0};

    for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
        parameters[i].typed = typed(parameters[i].is_call_key ? "text" : "integer");
    if (!sql_values_write(&procedure, &call, &values, out)) {
        ck_assert_uint_eq(values.count, 3);
        ck_assert_str_eq(values.at[1], "the key");
        text_addf(out, "%s,%s", values.at[0] ? values.at[0] : "null",
                  values.at[2] ? values.at[2] : "null");
    }
    sql_values_deinit(&values);
}

static void assert_arguments(const char *json, const char *expected)
{
    TEXT out = {0};

    write_arguments(json, &out);
    assert_text(&out, expected);
}

START_TEST(arguments_come_by_name)
{
    assert_arguments("{\"b\":2,\"a\":1}", "1,2");
    assert_arguments("{\"b\":2}", "null,2");
    assert_arguments("{\"a\":null,\"b\":2}", "null,2");
    assert_arguments("{}", "null,null");
    assert_arguments("null", "null,null");
    assert_arguments("{\"a\":1,\"c\":2}", "argument \"c\": unknown, expected a, b");
    assert_arguments("{\"sum\":1}", "argument \"sum\": unknown, expected a, b");
    assert_arguments("{\"id\":\"x\"}", "argument \"id\": unknown, expected a, b");
    assert_arguments("{\"a\":1,\"a\":2}", "argument a: stands there twice");
    assert_arguments("{\"b\":\"2\"}", "argument b: expected a whole number from -2147483648 "
                                      "to 2147483647, found a string");
}
END_TEST

START_TEST(arguments_come_by_position)
{
    assert_arguments("[1,2]", "1,2");
    assert_arguments("[null,2]", "null,2");
    assert_arguments("[1]", "expected 2 arguments, found 1");
    assert_arguments("[1,2,3]", "expected 2 arguments, found 3");
    assert_arguments("[1,true]", "argument b: expected a whole number from -2147483648 to "
                                 "2147483647, found a boolean");
}
END_TEST

START_TEST(other_arguments_are_refused)
{
    assert_arguments("1", "arguments: expected an object or an array, found number");
    assert_arguments("\"a\"", "arguments: expected an object or an array, found string");
    assert_arguments("true", "arguments: expected an object or an array, found boolean");
}
END_TEST

UNIT_SUITE("sql_types", integers_have_the_range_of_their_type, decimal_numbers_keep_their_digits,
           binary_fractions_have_the_range_of_their_type, strings_have_the_shape_of_their_type,
           other_kinds_are_refused, arrays_are_quoted, unknown_types_are_not_found,
           columns_are_told_by_their_types, times_are_told_in_iso_form, arrays_are_told_whole,
           a_column_has_to_be_what_is_declared, arguments_come_by_name, arguments_come_by_position,
           other_arguments_are_refused)
