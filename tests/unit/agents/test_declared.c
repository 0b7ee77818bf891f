#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/sync/processes/declared.h"
#include "common/base/plain_name.h"
#include "tests/support/unit.h"

#define TEXT     _cleanup_(text_deinitp) struct text
#define DECLARED _cleanup_(declared_destroyp) struct declared

static enum err load(const char *content, struct declared **out, struct text *problems)
{
    char path[] = "/tmp/unit-declared-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    enum err e;

    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    fclose(file);
    e = declared_load(path, out, problems);
    unlink(path);
    return e;
}

static const char whole[] =
    "{\"processes\": {\"greet\": {\"run\": \"signedIn\", \"deadlineMs\": 5000},"
    "  \"copy\": {\"run\": {\"role\": \"editor\"}, \"deadlineMs\": 1, \"actsForCaller\": true,"
    "             \"plugin\": \"clone_object\", \"threads\": 2},"
    "  \"a.b-c_1\": {\"run\": \"nobody\", \"deadlineMs\": 86400000, \"plugin\": \"p\"}},"
    " \"serviceGroups\": {\"reports\": {\"run\": \"everyone\"}},"
    " \"http\": {\"threads\": 3, \"operations\": {"
    "   \"weather\": {\"run\": \"signedIn\", \"deadlineMs\": 7, \"url\": 1},"
    "   \"news\": {\"run\": \"signedIn\", \"deadlineMs\": 8}}},"
    " \"sql\": {\"procedures\": {\"add\": {\"run\": \"signedIn\", \"deadlineMs\": 9}}}}";

START_TEST(no_file_declares_nothing)
{
    DECLARED *declared = NULL;
    TEXT problems = {0};

    assert_ok(declared_load("", &declared, &problems));
    ck_assert_uint_eq(declared_count(declared), 0);
    ck_assert_uint_eq(declared_queue_count(declared), 0);
    ck_assert_ptr_null(declared_process(declared, "greet"));
    ck_assert_ptr_null(declared_group(declared, "greet"));
    ck_assert_ptr_null(declared_section(declared, "http"));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_told)
{
    DECLARED *declared = NULL;
    TEXT problems = {0};

    assert_err(declared_load("/nonexistent/p.json", &declared, &problems), ERR_IO);
    assert_text(&problems, "/nonexistent/p.json: No such file or directory\n");
}
END_TEST

START_TEST(a_process_is_found_with_what_it_declares)
{
    DECLARED *declared = NULL;
    TEXT problems = {0};
    const struct process *p;

    assert_ok(load(whole, &declared, &problems));
    assert_text(&problems, "");
    p = declared_process(declared, "copy");
    ck_assert_ptr_nonnull(p);
    ck_assert_str_eq(p->name, "copy");
    ck_assert_str_eq(p->queue, "process.copy");
    ck_assert_str_eq(p->run, "role:editor");
    ck_assert_str_eq(p->plugin, "clone_object");
    ck_assert_int_eq(p->deadline_ms, 1);
    ck_assert_uint_eq(p->threads, 2);
    ck_assert(p->acts);
    p = declared_process(declared, "greet");
    ck_assert_str_eq(p->run, "signedIn");
    ck_assert_ptr_null(p->plugin);
    ck_assert_uint_eq(p->threads, 0);
    ck_assert(!p->acts);
    ck_assert_uint_eq(declared_process(declared, "a.b-c_1")->threads, 1);
    ck_assert_ptr_null(declared_process(declared, "Greet"));
    ck_assert_ptr_null(declared_process(declared, "reports"));
    ck_assert_ptr_null(declared_group(declared, "greet"));
    ck_assert_str_eq(declared_group(declared, "reports")->queue, "process.reports");
    ck_assert_int_eq(declared_group(declared, "reports")->deadline_ms, 0);
}
END_TEST

START_TEST(the_case_of_a_prefix_does_not_matter)
{
    static const char *const names[] = {"HTTP:weather", "http:weather", "HtTp:weather"};
    DECLARED *declared = NULL;
    TEXT problems = {0};

    assert_ok(load(whole, &declared, &problems));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct process *p = declared_process(declared, names[i]);

        ck_assert_ptr_nonnull(p);
        ck_assert_str_eq(p->name, "HTTP:weather");
        ck_assert_str_eq(p->queue, "process.HTTP");
        ck_assert_uint_eq(p->threads, 3);
    }
    ck_assert_str_eq(declared_process(declared, "sql_proc:add")->queue, "process.SQL_PROC");
    ck_assert_uint_eq(declared_process(declared, "sql_proc:add")->threads, 4);
    ck_assert_ptr_null(declared_process(declared, "HTTP:Weather"));
    ck_assert_ptr_null(declared_process(declared, "HTTP:"));
    ck_assert_ptr_null(declared_process(declared, ":weather"));
    ck_assert_ptr_null(declared_process(declared, "weather"));
    ck_assert_ptr_null(declared_process(declared, "HTTPS:weather"));
    ck_assert_ptr_null(declared_process(declared, "HTTP:weather:"));
    ck_assert_ptr_null(declared_process(declared, ""));
}
END_TEST

START_TEST(every_queue_is_named_once)
{
    static const char *const queues[] = {"process.HTTP", "process.SQL_PROC", "process.a.b-c_1",
                                         "process.copy", "process.greet",    "process.reports"};
    DECLARED *declared = NULL;
    TEXT problems = {0};

    assert_ok(load(whole, &declared, &problems));
    ck_assert_uint_eq(declared_count(declared), 6);
    ck_assert_str_eq(declared_at(declared, 0)->name, "HTTP:news");
    ck_assert_str_eq(declared_at(declared, 5)->name, "greet");
    ck_assert_uint_eq(declared_queue_count(declared), ARRAY_SIZE(queues));
    for (size_t i = 0; i < ARRAY_SIZE(queues); i++)
        ck_assert_str_eq(declared_queue_at(declared, i), queues[i]);
    ck_assert_ptr_nonnull(declared_section(declared, "http"));
    ck_assert_ptr_nonnull(declared_section(declared, "sql"));
}
END_TEST

/* Each mistake, in a file of its own, and the line that tells of it. */
static const struct {
    const char *content, *problem;
} mistakes[] = {
    {"[]", "expected an object"},
    {"{\"process\": {}}", "process: unknown"},
    {"{\"processes\": []}", "processes: expected an object, found an array"},
    {"{\"processes\": {\"a\": 1}}", "processes.a: expected an object"},
    {"{\"processes\": {\"a:b\": {\"run\": \"nobody\", \"deadlineMs\": 1}}}",
     "processes.a:b: expected 1 to 100 letters, digits, _, . and -"},
    {"{\"processes\": {\"\": {\"run\": \"nobody\", \"deadlineMs\": 1}}}",
     "processes.: expected 1 to 100 letters"},
    {"{\"processes\": {\"a\\nb\": {\"run\": \"nobody\", \"deadlineMs\": 1}}}",
     "b: expected 1 to 100 letters"},
    {"{\"processes\": {\"a\": {\"deadlineMs\": 1}}}", "processes.a.run: expected nobody, everyone"},
    {"{\"processes\": {\"a\": {\"run\": \"me\", \"deadlineMs\": 1}}}",
     "processes.a.run: expected nobody, everyone, signedIn or {\"role\": name}"},
    {"{\"processes\": {\"a\": {\"run\": {\"role\": 1}, \"deadlineMs\": 1}}}",
     "processes.a.run.role: expected a string, found a number"},
    {"{\"processes\": {\"a\": {\"run\": {\"role\": \"a b\"}, \"deadlineMs\": 1}}}",
     "processes.a.run.role: expected 1 to 100 letters"},
    {"{\"processes\": {\"a\": {\"run\": {\"role\": \"r\", \"x\": 1}, \"deadlineMs\": 1}}}",
     "processes.a.run.x: unknown"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\"}}}",
     "processes.a.deadlineMs: missing, expected a whole number"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 0}}}",
     "processes.a.deadlineMs: expected 1 to 86400000"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 86400001}}}",
     "processes.a.deadlineMs: expected 1 to 86400000"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 99999999999999999999999}}}",
     "processes.a.deadlineMs: expected 1 to 86400000"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": \"1\"}}}",
     "processes.a.deadlineMs: expected a whole number, found a string"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 1.5}}}",
     "processes.a.deadlineMs: expected a whole number, found a number"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 1, \"actsForCaller\": 1}}}",
     "processes.a.actsForCaller: expected a boolean, found a number"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 1, \"threads\": 1}}}",
     "processes.a.threads: only of a plug-in"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 1, \"plugin\": \"../x\"}}}",
     "processes.a.plugin: expected 1 to 100 letters, digits, _ and -"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 1, \"plugin\": \"x\","
     " \"threads\": 65}}}",
     "processes.a.threads: expected 1 to 64"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 1, \"url\": \"\"}}}",
     "processes.a.url: unknown"},
    {"{\"processes\": {\"http\": {\"run\": \"nobody\", \"deadlineMs\": 1}}}",
     "processes.http: the name of a connector"},
    {"{\"serviceGroups\": {\"SQL_PROC\": {\"run\": \"nobody\"}}}",
     "serviceGroups.SQL_PROC: the name of a connector"},
    {"{\"serviceGroups\": {\"g\": {\"run\": \"nobody\", \"deadlineMs\": 1}}}",
     "serviceGroups.g.deadlineMs: unknown"},
    {"{\"processes\": {\"a\": {\"run\": \"nobody\", \"deadlineMs\": 1}},"
     " \"serviceGroups\": {\"a\": {\"run\": \"nobody\"}}}",
     "serviceGroups.a: a process has this name"},
    {"{\"http\": {\"threads\": 0}}", "http.threads: expected 1 to 64"},
    {"{\"http\": {\"operations\": {\"w\": {\"run\": \"nobody\"}}}}",
     "http.operations.w.deadlineMs: missing"},
    {"{\"sql\": {\"procedures\": {\"w x\": {\"run\": \"nobody\", \"deadlineMs\": 1}}}}",
     "sql.procedures.w x: expected 1 to 100 letters"},
    {"{\"sql\": []}", "sql: expected an object, found an array"},
};

START_TEST(a_mistake_is_told_with_its_path)
{
    DECLARED *declared = NULL;
    TEXT problems = {0};

    assert_err(load(mistakes[_i].content, &declared, &problems), ERR_CONFIG);
    assert_contains(problems.at, mistakes[_i].problem);
    ck_assert_ptr_null(declared);
    ck_assert(strncmp(problems.at, "/tmp/unit-declared-", 19) == 0);
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
    DECLARED *declared = NULL;
    TEXT problems = {0};

    assert_err(load("{\"processes\": {\"a\": {}, \"b\": {\"run\": 1, \"deadlineMs\": -1}}}",
                    &declared, &problems),
               ERR_CONFIG);
    assert_contains(problems.at, "processes.a.run: ");
    assert_contains(problems.at, "processes.a.deadlineMs: ");
    assert_contains(problems.at, "processes.b.run: ");
    assert_contains(problems.at, "processes.b.deadlineMs: ");
}
END_TEST

START_TEST(names_have_at_most_100_bytes)
{
    DECLARED *declared = NULL;
    TEXT problems = {0}, content = {0};
    char name[PLAIN_NAME_MAX + 2];

    memset(name, 'n', sizeof(name));
    name[PLAIN_NAME_MAX + 1] = '\0';
    text_addf(&content, "{\"serviceGroups\":{\"%s\":{\"run\":\"nobody\"}}}", name);
    assert_err(load(content.at, &declared, &problems), ERR_CONFIG);
    name[PLAIN_NAME_MAX] = '\0';
    text_clear(&content);
    text_clear(&problems);
    text_addf(&content, "{\"serviceGroups\":{\"%s\":{\"run\":\"nobody\"}}}", name);
    assert_ok(load(content.at, &declared, &problems));
    ck_assert_ptr_nonnull(declared_group(declared, name));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("declared");

    tcase_add_test(tests, no_file_declares_nothing);
    tcase_add_test(tests, a_file_that_is_not_there_is_told);
    tcase_add_test(tests, a_process_is_found_with_what_it_declares);
    tcase_add_test(tests, the_case_of_a_prefix_does_not_matter);
    tcase_add_test(tests, every_queue_is_named_once);
    tcase_add_loop_test(tests, a_mistake_is_told_with_its_path, 0, ARRAY_SIZE(mistakes));
    tcase_add_test(tests, all_mistakes_are_told_at_once);
    tcase_add_test(tests, names_have_at_most_100_bytes);
    return unit_run_case("declared", tests);
}
