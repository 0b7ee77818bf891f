#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "agents/sync/connectors/sql_declared.h"
#include "common/json/json_get.h"
#include "tests/support/unit.h"

/* The section "sql" of the file of processes, whole. Statements are looked at here, too: they are
 * made of it. */

#define TEXT _cleanup_(text_deinitp) struct text

/* A section, read. */
struct read {
    struct json_object *tree;
    struct sql_declared *declared;
    struct text problems;
};

/* Single quotes stand for double ones. */
static void read_section(const char *quoted, struct read *r)
{
    TEXT content = {0};

    *r = (struct read){0};
    text_add(&content, quoted);
    for (char *at = content.at; (at = strchr(at, '\'')) != NULL;)
        *at = '"';
    ck_assert_msg(!json_get_text("test", &content, &r->tree, &r->problems), "%s in %s",
                  text_str(&r->problems), text_str(&content));
    if (sql_declared_load(r->tree, &r->declared, &r->problems))
        ck_assert_ptr_null(r->declared);
    else
        assert_text(&r->problems, "");
}

static void forget(struct read *r)
{
    sql_declared_destroy(r->declared);
    json_object_put(r->tree);
    text_deinit(&r->problems);
}

static void assert_problems(const char *section, const char *expected)
{
    struct read r;

    read_section(section, &r);
    assert_text(&r.problems, expected);
    forget(&r);
}

/* A procedure with these members beside the ones that it needs. */
static void assert_row_problems(const char *members, const char *expected)
{
    TEXT section = {0}, problems = {0};

    text_addf(&section,
              "{'databases': {'d': {'url': 'postgresql://u@h/d'}}, 'procedures': {'p': "
              "{'run': 'everyone', 'deadlineMs': 1, %s}}}",
              members);
    text_addf(&problems, "sql.procedures.p%s\n", expected);
    assert_problems(text_str(&section), text_str(&problems));
}

static void assert_statement(const char *members, const char *expected)
{
    struct read r;
    TEXT section = {0};

    text_addf(&section,
              "{'databases': {'d': {'url': 'postgresql://u@h/d'}}, 'procedures': {'p': "
              "{'database': 'd', %s}}}",
              members);
    read_section(text_str(&section), &r);
    ck_assert_ptr_nonnull(r.declared);
    ck_assert_str_eq(sql_declared_find(r.declared, "p")->statement, expected);
    forget(&r);
}

#define FUNCTION "'database': 'd', 'call': 'function', 'name': 's.f'"

START_TEST(what_is_declared_is_found_by_name)
{
    struct read r;
    const struct sql_procedure *p;

    read_section("{'threads': 2, 'databases': {'d': {'url': 'postgresql://u@h/d'},"
                 " 'e': {'url': 'postgres:///e?host=/run/postgresql', 'connections': 100}},"
                 " 'procedures': {"
                 "  'q': {'database': 'd', 'call': 'procedure', 'name': 's.p'},"
                 "  'p': {'run': 'nobody', 'deadlineMs': 1, 'database': 'e', 'call': 'function',"
                 "        'name': 's.f', 'rows': true, 'maxRows': 7, 'maxBytes': 8,"
                 "        'timeoutMs': 9, 'parameters': [{'name': 'a', 'type': 'int'}]}}}",
                 &r);
    p = sql_declared_find(r.declared, "p");
    ck_assert_str_eq(p->database->name, "e");
    ck_assert_int_eq(p->database->connections, 100);
    ck_assert(p->rows && p->is_function);
    ck_assert_int_eq(p->max_rows, 7);
    ck_assert_int_eq(p->max_bytes, 8);
    ck_assert_int_eq(p->timeout_ms, 9);
    ck_assert_uint_eq(p->ins, 1);
    p = sql_declared_find(r.declared, "q");
    ck_assert(!p->is_function && p->count == 0 && p->timeout_ms == 0);
    ck_assert_int_eq(p->database->connections, 4);
    ck_assert_ptr_null(sql_declared_find(r.declared, "Q"));
    forget(&r);
}
END_TEST

START_TEST(statements_have_placeholders_only)
{
    assert_statement("'call': 'function', 'name': 'Shop.add', 'parameters': ["
                     "{'name': 'a', 'type': 'int'}, {'name': 's', 'type': 'text', 'direction': "
                     "'OUT'}, {'name': 'b', 'type': 'double[]', 'direction': 'INOUT'}]",
                     "SELECT * FROM \"Shop\".\"add\"($1::integer, $2::double precision[]) LIMIT 2");
    assert_statement("'call': 'procedure', 'name': 's.p', 'parameters': ["
                     "{'name': 's', 'type': 'text', 'direction': 'OUT'}, {'name': 'b', 'type': "
                     "'blob', 'direction': 'INOUT'}, {'name': 'a', 'type': 'uuid'}]",
                     "CALL \"s\".\"p\"(NULL::text, $1::bytea, $2::uuid)");
    assert_statement("'call': 'procedure', 'name': 's.p', 'parameters': ["
                     "{'name': 'id', 'type': 'uuid', 'value': '@call'}, "
                     "{'name': 'a', 'type': 'int'}]",
                     "CALL \"s\".\"p\"($1::uuid, $2::integer)");
    assert_statement("'call': 'function', 'name': 's.f', 'rows': true, 'maxRows': 5",
                     "SELECT * FROM \"s\".\"f\"() LIMIT 6");
}
END_TEST

START_TEST(mistakes_of_databases_are_told)
{
    assert_problems("{'databases': {'d': {'url': 'postgresql://u:p@h/d', 'more': 1}}, 'x': 1}",
                    "sql.x: unknown\n"
                    "sql.databases.d.more: unknown\n"
                    "sql.databases.d.url: expected no password, passfile or service: the password "
                    "stands in a file of its own, which passwordFile names\n");
    assert_problems("{'databases': {'d': {'url': 'postgresql://h/d?password=p'}}}",
                    "sql.databases.d.url: expected no password, passfile or service: the password "
                    "stands in a file of its own, which passwordFile names\n");
    assert_problems("{'databases': {'d': {'url': 'mysql://h/d'}, 'e': {'connections': 0},"
                    " 'f': {'url': 'postgresql://h:x%/d', 'connections': 101}, 'g': 1}}",
                    "sql.databases.d.url: expected postgresql://user@host/database\n"
                    "sql.databases.e.url: missing, expected a string\n"
                    "sql.databases.e.connections: expected 1 to 100\n"
                    "sql.databases.f.url: not what PostgreSQL takes for a URL\n"
                    "sql.databases.f.connections: expected 1 to 100\n"
                    "sql.databases.g: expected an object\n");
    assert_problems("{'databases': 1, 'procedures': []}",
                    "sql.databases: expected an object, found a number\n"
                    "sql.procedures: expected an object, found an array\n");
}
END_TEST

START_TEST(the_key_of_a_call_only_goes_in_and_is_a_text_or_a_uuid)
{
    static const char *const wrong[] = {
        "'type': 'integer', 'value': '@call'",
        "'type': 'text[]', 'value': '@call'",
        "'type': 'text', 'direction': 'INOUT', 'value': '@call'",
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        TEXT members = {0};

        text_addf(&members, FUNCTION ", 'parameters': [{'name': 'a', %s}]", wrong[i]);
        assert_row_problems(text_str(&members),
                            ".parameters[0].value: @call only goes in, as a text, varchar or uuid");
    }
    assert_row_problems(FUNCTION ", 'parameters': [{'name': 'a', 'type': 'text', 'value': 'x'}]",
                        ".parameters[0].value: expected @call");
}
END_TEST

static char long_password[SQL_PASSWORD_MAX + 1];

START_TEST(a_password_is_one_line_of_a_file)
{
    static const struct {
        const char *content;
        size_t size;
        const char *why; /* NULL: it is taken */
    } files[] = {
        {"", 0, "empty"},
        {"\n", 1, "empty"},
        {"a\nb\n", 4, "expected one line without control characters"},
        {"a\0b", 3, "expected one line without control characters"},
        {"a\0", 2, "expected one line without control characters"},
        {long_password, SQL_PASSWORD_MAX + 1, "too large"},
        {long_password, SQL_PASSWORD_MAX, NULL},
        {"secret\r\n", 8, NULL},
    };
    char path[] = "/tmp/unit-sql-password-XXXXXX";
    const int fd = mkstemp(path);
    TEXT section = {0};

    memset(long_password, 'x', sizeof(long_password));
    text_addf(&section, "{'databases': {'d': {'url': 'postgresql://u@h/d', 'passwordFile': '%s'}}}",
              path);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        TEXT problem = {0};

        if (files[i].why)
            text_addf(&problem, "sql.databases.d.passwordFile: %s: %s\n", path, files[i].why);
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        ck_assert_int_eq(pwrite(fd, files[i].content, files[i].size, 0), files[i].size);
        assert_problems(text_str(&section), text_str(&problem));
    }
    unlink(path);
    close(fd);
}
END_TEST

START_TEST(mistakes_of_procedures_are_told)
{
    assert_row_problems("'database': 'x', 'call': 'query', 'name': 'f', 'sql': ''",
                        ".sql: unknown\n"
                        "sql.procedures.p.database: no database is declared by this name\n"
                        "sql.procedures.p.call: expected procedure or function\n"
                        "sql.procedures.p.name: expected schema.name, each of 1 to 63 letters, "
                        "digits and _, no digit first");
    assert_row_problems("'x': 1", ".x: unknown\n"
                                  "sql.procedures.p.database: missing, expected a string\n"
                                  "sql.procedures.p.call: missing, expected a string\n"
                                  "sql.procedures.p.name: missing, expected a string");
    assert_row_problems("'database': 'd', 'call': 'procedure', 'name': 's.p', 'rows': true",
                        ".rows: only of a function");
    assert_row_problems(FUNCTION ", 'maxRows': 5", ".maxRows: only with rows");
    assert_row_problems(FUNCTION ", 'rows': true, 'parameters': ["
                                 "{'name': 'a', 'type': 'int', 'direction': 'OUT'}]",
                        ".rows: the columns of rows are not declared, but there are parameters "
                        "that come out");
}
END_TEST

START_TEST(limits_have_edges)
{
    assert_row_problems(FUNCTION ", 'rows': true, 'maxRows': 1000001, 'maxBytes': 8388609, "
                                 "'timeoutMs': 86400001",
                        ".maxRows: expected 1 to 1000000\n"
                        "sql.procedures.p.maxBytes: expected 1 to 8388608\n"
                        "sql.procedures.p.timeoutMs: expected 1 to 86400000");
    assert_row_problems(FUNCTION ", 'rows': true, 'maxRows': 0, 'maxBytes': 0, 'timeoutMs': 0",
                        ".maxRows: expected 1 to 1000000\n"
                        "sql.procedures.p.maxBytes: expected 1 to 8388608\n"
                        "sql.procedures.p.timeoutMs: expected 1 to 86400000");
    assert_statement("'call': 'function', 'name': 's.f', 'rows': true, 'maxRows': 1000000, "
                     "'maxBytes': 8388608, 'timeoutMs': 86400000",
                     "SELECT * FROM \"s\".\"f\"() LIMIT 1000001");
}
END_TEST

START_TEST(names_are_identifiers)
{
    static const char *const wrong[] = {"f",    "s.",     ".f",      "s.f.g", "s.1f", "s.f g",
                                        "s.f;", "s\\\"f", "s.f\\\"", "s.é",   "s.f()"};
    char expected[256];

    (void)snprintf(expected, sizeof(expected),
                   ".name: expected schema.name, each of 1 to 63 letters, digits and _, no digit "
                   "first");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        TEXT members = {0};

        text_addf(&members, "'database': 'd', 'call': 'function', 'name': '%s'", wrong[i]);
        assert_row_problems(text_str(&members), expected);
    }
}
END_TEST

START_TEST(mistakes_of_parameters_are_told)
{
    struct read r;

    assert_row_problems(FUNCTION ", 'parameters': [{'name': 'a', 'type': 'int'}, 5, {'name': 'a', "
                                 "'type': 'int', 'direction': 'in', 'default': 1}, {'type': 1}]",
                        ".parameters[1]: expected an object\n"
                        "sql.procedures.p.parameters[2].default: unknown\n"
                        "sql.procedures.p.parameters[2].direction: expected IN, OUT or INOUT\n"
                        "sql.procedures.p.parameters[2].name: another parameter has this name\n"
                        "sql.procedures.p.parameters[3].type: expected a string, found a number\n"
                        "sql.procedures.p.parameters[3].name: missing, expected a string");
    assert_row_problems(FUNCTION ", 'parameters': [{'name': 'a-b', 'type': 'int'}]",
                        ".parameters[0].name: expected 1 to 63 letters, digits and _, no digit "
                        "first");
    read_section("{'databases': {'d': {'url': 'postgresql://u@h/d'}}, 'procedures': {'p': {"
                 "'database': 'd', 'call': 'function', 'name': 's.f', 'parameters': ["
                 "{'name': 'a', 'type': 'money'}]}}}",
                 &r);
    assert_contains(text_str(&r.problems), "sql.procedures.p.parameters[0].type: expected one of "
                                           "smallint, ");
    assert_contains(text_str(&r.problems), "blob, or one of these with [] behind it\n");
    forget(&r);
}
END_TEST

START_TEST(parameters_are_counted)
{
    TEXT members = {0};

    text_add(&members, FUNCTION ", 'parameters': [");
    for (int i = 0; i <= SQL_PARAMETERS_MAX; i++)
        text_addf(&members, "%s{'name': 'a%d', 'type': 'int'}", i ? "," : "", i);
    text_add(&members, "]");
    assert_row_problems(text_str(&members), ".parameters: expected at most 100");
}
END_TEST

UNIT_SUITE("sql_declared", what_is_declared_is_found_by_name, statements_have_placeholders_only,
           mistakes_of_databases_are_told, a_password_is_one_line_of_a_file,
           the_key_of_a_call_only_goes_in_and_is_a_text_or_a_uuid, mistakes_of_procedures_are_told,
           limits_have_edges, names_are_identifiers, mistakes_of_parameters_are_told,
           parameters_are_counted)
