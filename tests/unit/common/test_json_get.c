#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static struct json_object *parse(const char *text)
{
    struct json_object *tree = json_tokener_parse(text);

    ck_assert_ptr_nonnull(tree);
    return tree;
}

static enum err load(const char *content, struct json_object **out, struct text *problems)
{
    char path[] = "/tmp/unit-json-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    enum err e;

    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    fclose(file);
    e = json_get_file(path, out, problems);
    unlink(path);
    return e;
}

START_TEST(a_file_becomes_a_tree)
{
    struct json_object *tree = NULL;
    TEXT problems = {0};

    assert_ok(load("{\"a\": [1, {\"b\": 2}, {\"b\": 3}]}\n", &tree, &problems));
    ck_assert_int_eq(json_object_object_length(tree), 1);
    assert_text(&problems, "");
    json_object_put(tree);
}
END_TEST

START_TEST(a_mistake_in_a_file_is_told_with_line_and_column)
{
    struct json_object *tree = NULL;
    TEXT problems = {0};

    assert_err(load("{\n  \"a\": NaN\n}", &tree, &problems), ERR_CONFIG);
    ck_assert_ptr_null(tree);
    assert_contains(problems.at, ":2:8: unexpected character\n");
}
END_TEST

START_TEST(every_name_that_stands_twice_is_told)
{
    static const char content[] = "{\"a\":1,\n \"b\":[{\"c\":1,\"\\u0063\":2}],\n \"a\":3}";
    struct json_object *tree = NULL;
    TEXT problems = {0};

    assert_err(load(content, &tree, &problems), ERR_CONFIG);
    ck_assert_ptr_null(tree);
    assert_contains(problems.at, ":2:14: the same name a second time\n");
    assert_contains(problems.at, ":3:2: the same name a second time\n");
}
END_TEST

START_TEST(a_file_nested_too_deep_is_refused)
{
    struct json_object *tree = NULL;
    TEXT problems = {0}, deep = {0};

    for (int i = 0; i < 10000; i++)
        text_add_char(&deep, '[');
    assert_err(load(deep.at, &tree, &problems), ERR_CONFIG);
    assert_contains(problems.at, "nested too deep");
}
END_TEST

START_TEST(a_lone_value_is_a_file_too)
{
    struct json_object *tree = NULL;
    TEXT problems = {0};

    assert_ok(load("42", &tree, &problems));
    ck_assert_int_eq(json_object_get_int(tree), 42);
    json_object_put(tree);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_told)
{
    struct json_object *tree = NULL;
    TEXT problems = {0};

    assert_err(json_get_file("/nonexistent.json", &tree, &problems), ERR_IO);
    assert_text(&problems, "/nonexistent.json: No such file or directory\n");
}
END_TEST

START_TEST(members_of_the_right_type_are_borrowed)
{
    struct json_object *tree = parse("{\"s\":\"x\",\"b\":true,\"o\":{},\"a\":[]}"), *found;
    const char *string;
    bool boolean = false;
    TEXT problems = {0};

    assert_ok(json_get_string(tree, "", "s", true, &string, &problems));
    ck_assert_str_eq(string, "x");
    assert_ok(json_get_bool(tree, "", "b", &boolean, &problems));
    ck_assert(boolean);
    assert_ok(json_get_object(tree, "", "o", true, &found, &problems));
    ck_assert(json_object_is_type(found, json_type_object));
    assert_ok(json_get_array(tree, "", "a", true, &found, &problems));
    ck_assert(json_object_is_type(found, json_type_array));
    assert_text(&problems, "");
    json_object_put(tree);
}
END_TEST

START_TEST(a_missing_member_is_told_only_if_it_is_required)
{
    struct json_object *tree = parse("{}"), *found;
    const char *string = "before";
    bool boolean = true;
    TEXT problems = {0};

    assert_err(json_get_string(tree, "p", "s", false, &string, &problems), ERR_NOT_FOUND);
    ck_assert_ptr_null(string);
    assert_err(json_get_bool(tree, "p", "b", &boolean, &problems), ERR_NOT_FOUND);
    ck_assert(boolean); /* the caller's default stays */
    assert_err(json_get_object(NULL, "p", "o", false, &found, &problems), ERR_NOT_FOUND);
    assert_text(&problems, "");

    assert_err(json_get_string(tree, "p", "s", true, &string, &problems), ERR_NOT_FOUND);
    assert_err(json_get_array(tree, "", "a", true, &found, &problems), ERR_NOT_FOUND);
    ck_assert_ptr_null(found);
    assert_text(&problems, "p.s: missing, expected a string\na: missing, expected an array\n");
    json_object_put(tree);
}
END_TEST

START_TEST(a_member_of_another_type_is_told_with_its_path)
{
    struct json_object *tree = parse("{\"n\":1,\"d\":1.5,\"z\":null,\"s\":\"x\",\"o\":{}}"), *found;
    const char *string;
    bool boolean = true;
    TEXT problems = {0};

    assert_err(json_get_string(tree, "classes[3]", "n", true, &string, &problems), ERR_TYPE);
    assert_err(json_get_string(tree, "p", "z", false, &string, &problems), ERR_TYPE);
    assert_err(json_get_bool(tree, "p", "s", &boolean, &problems), ERR_TYPE);
    assert_err(json_get_object(tree, "p", "d", true, &found, &problems), ERR_TYPE);
    assert_err(json_get_array(tree, "p", "o", true, &found, &problems), ERR_TYPE);
    ck_assert_ptr_null(found);
    ck_assert_ptr_null(string);
    ck_assert(boolean);
    assert_text(&problems, "classes[3].n: expected a string, found a number\n"
                           "p.z: expected a string, found null\n"
                           "p.s: expected a boolean, found a string\n"
                           "p.d: expected an object, found a number\n"
                           "p.o: expected an array, found an object\n");
    json_object_put(tree);
}
END_TEST

START_TEST(a_string_with_a_nul_is_refused)
{
    struct json_object *tree = parse("{\"s\":\"a\\u0000b\"}");
    const char *string;
    TEXT problems = {0};

    assert_err(json_get_string(tree, "", "s", true, &string, &problems), ERR_TYPE);
    assert_contains(problems.at, "s: expected a string without NUL");
    json_object_put(tree);
}
END_TEST

START_TEST(members_that_nobody_knows_are_told)
{
    static const char *const names[] = {"a", "b", NULL};
    struct json_object *tree = parse("{\"a\":1,\"c\":2,\"b\":3,\"d\":4}");
    TEXT problems = {0};

    json_get_only(tree, "x[1]", names, &problems);
    assert_text(&problems, "x[1].c: unknown\nx[1].d: unknown\n");
    json_get_only(NULL, "", names, &problems); /* no object, no members */
    json_object_put(tree);
}
END_TEST

START_TEST(a_whole_number_has_its_limits)
{
    static const struct {
        const char *tree, *problem;
        enum err e;
    } rows[] = {
        {"{\"n\":3}", "", ERR_OK},
        {"{\"n\":7}", "", ERR_OK},
        {"{}", "x.n: missing, expected a whole number\n", ERR_NOT_FOUND},
        {"{\"n\":2}", "x.n: expected 3 to 7\n", ERR_RANGE},
        {"{\"n\":8}", "x.n: expected 3 to 7\n", ERR_RANGE},
        {"{\"n\":-99999999999999999999}", "x.n: expected 3 to 7\n", ERR_RANGE},
        {"{\"n\":3.0}", "x.n: expected a whole number, found a number\n", ERR_TYPE},
        {"{\"n\":true}", "x.n: expected a whole number, found a boolean\n", ERR_TYPE},
    };
    const struct json_int wanted = {.required = true, .least = 3, .most = 7};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct json_object *tree = parse(rows[i].tree);
        TEXT problems = {0};
        int64_t n = 42;

        assert_err(json_get_int(tree, "x", "n", &wanted, &n, &problems), rows[i].e);
        assert_text(&problems, rows[i].problem);
        ck_assert_int_eq(n == 42, rows[i].e != ERR_OK);
        json_object_put(tree);
    }
}
END_TEST

UNIT_SUITE("json_get", a_file_becomes_a_tree, a_mistake_in_a_file_is_told_with_line_and_column,
           every_name_that_stands_twice_is_told, a_file_nested_too_deep_is_refused,
           a_lone_value_is_a_file_too, a_file_that_is_not_there_is_told,
           members_of_the_right_type_are_borrowed, a_missing_member_is_told_only_if_it_is_required,
           a_member_of_another_type_is_told_with_its_path, a_string_with_a_nul_is_refused,
           a_whole_number_has_its_limits, members_that_nobody_knows_are_told)
