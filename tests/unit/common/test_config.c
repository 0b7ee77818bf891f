#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/process/config.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

enum { ONE = 1, TWO = 2 };

struct sample {
    char *name, *secret, *file, *optional;
    int64_t count;
    bool flag;
    int colour;
};

#define AT(field) offsetof(struct sample, field)

static const struct config_row rows[] = {
    {.key = "a.name",
     .type = CONFIG_STRING,
     .offset = AT(name),
     .initial = "",
     .minimum = 2,
     .maximum = 5,
     .used_by = ONE | TWO,
     .help = "The name."},
    {.key = "a.secret",
     .type = CONFIG_STRING,
     .offset = AT(secret),
     .minimum = 4,
     .maximum = 64,
     .secret = true,
     .used_by = ONE,
     .help = "The secret."},
    {.key = "a.file",
     .type = CONFIG_STRING,
     .offset = AT(file),
     .initial = "f",
     .minimum = 1,
     .maximum = 64,
     .used_by = ONE,
     .help = "A file."},
    {.key = "a.optional",
     .type = CONFIG_STRING,
     .offset = AT(optional),
     .minimum = 1,
     .maximum = 9,
     .used_by = TWO,
     .optional_in = TWO,
     .help = "Not needed."},
    {.key = "b.count",
     .type = CONFIG_INT,
     .offset = AT(count),
     .initial = "5",
     .minimum = -10,
     .maximum = 100,
     .unit = "ms",
     .used_by = ONE,
     .help = "How many."},
    {.key = "b.flag",
     .type = CONFIG_BOOL,
     .offset = AT(flag),
     .initial = "true",
     .used_by = TWO,
     .help = "Whether."},
    {.key = "b.colour",
     .type = CONFIG_CHOICE,
     .offset = AT(colour),
     .initial = "red",
     .choices = "green|red|blue",
     .reloaded = true,
     .used_by = ONE,
     .help = "Which."},
};
static const struct config_table table = {rows, ARRAY_SIZE(rows)};

static void free_sample(struct sample *s)
{
    config_free(&table, s);
}

#define SAMPLE   _cleanup_(free_sample) struct sample
#define ENV(...) ((char *[]){__VA_ARGS__, NULL})
static char *const no_environment[] = {NULL};
static char secret_variable[] = "ACTIVESTACK_A_SECRET=geheim";

/* Loads for program ONE with `content` as the file; NULL: no file. */
static enum err load(const char *content, char *const *environment, struct sample *s,
                     struct text *problems)
{
    char path[] = "/tmp/unit-config-XXXXXX";
    FILE *file;
    enum err e;

    if (!content)
        return config_load(&table, ONE, NULL, environment, s, problems);
    file = fdopen(mkstemp(path), "w");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    fclose(file);
    e = config_load(&table, ONE, path, environment, s, problems);
    unlink(path);
    return e;
}

static char *variable(const char *text)
{
    static char copies[8][256];
    static size_t next;
    char *copy = copies[next++ % ARRAY_SIZE(copies)];

    snprintf(copy, sizeof(copies[0]), "%s", text);
    return copy;
}

START_TEST(what_is_not_given_has_its_default)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_ok(load(NULL, ENV(secret_variable), &s, &problems));
    assert_text(&problems, "");
    ck_assert_str_eq(s.name, "");
    ck_assert_str_eq(s.secret, "geheim");
    ck_assert_str_eq(s.optional, "");
    ck_assert_int_eq(s.count, 5);
    ck_assert(s.flag);
    ck_assert_int_eq(s.colour, 1);
}
END_TEST

START_TEST(the_file_is_read_line_by_line)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_ok(load("# a comment = not a setting\n"
                   "\n"
                   "  a.secret=with = and # inside \r\n"
                   "\tb.count\t =  -10\n"
                   "b.flag = false\n"
                   "b.colour = blue\n"
                   "a.name = \xc3\xbc"
                   "ber",
                   no_environment, &s, &problems));
    assert_text(&problems, "");
    ck_assert_str_eq(s.secret, "with = and # inside");
    ck_assert_int_eq(s.count, -10);
    ck_assert(!s.flag);
    ck_assert_int_eq(s.colour, 2);
    ck_assert_str_eq(s.name, "\xc3\xbc"
                             "ber");
}
END_TEST

START_TEST(the_environment_overrides_the_file)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_ok(load("b.count = 1\na.secret = from file\n",
                   ENV(variable("ACTIVESTACK_B_COUNT=2"), variable("B_COUNT=3")), &s, &problems));
    ck_assert_int_eq(s.count, 2);
    ck_assert_str_eq(s.secret, "from file");
}
END_TEST

START_TEST(a_variable_may_name_a_file_with_the_value)
{
    char secret_path[] = "/tmp/unit-config-XXXXXX", text[64];
    FILE *file = fdopen(mkstemp(secret_path), "w");
    SAMPLE s = {0};
    TEXT problems = {0};

    ck_assert_ptr_nonnull(file);
    fputs("from a file\r\n", file);
    fclose(file);
    snprintf(text, sizeof(text), "ACTIVESTACK_A_SECRET_FILE=%s", secret_path);
    assert_ok(load(NULL, ENV(text), &s, &problems));
    ck_assert_str_eq(s.secret, "from a file");
    unlink(secret_path);
}
END_TEST

START_TEST(a_key_may_name_a_file_with_the_value)
{
    char secret_path[] = "/tmp/unit-config-XXXXXX", text[64];
    FILE *file = fdopen(mkstemp(secret_path), "w");
    SAMPLE s = {0};
    TEXT problems = {0};

    ck_assert_ptr_nonnull(file);
    fputs("from a file\nand a second line\n", file);
    fclose(file);
    snprintf(text, sizeof(text), "a.secret_file = %s\n", secret_path);
    assert_ok(load(text, no_environment, &s, &problems));
    ck_assert_str_eq(s.secret, "from a file");
    unlink(secret_path);
}
END_TEST

START_TEST(a_key_that_ends_in_file_is_not_mistaken_for_one)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_ok(load(NULL, ENV(secret_variable, variable("ACTIVESTACK_A_FILE=/some/where")), &s,
                   &problems));
    ck_assert_str_eq(s.file, "/some/where");
}
END_TEST

START_TEST(a_value_and_a_file_with_it_in_one_file_are_a_mistake)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_err(load("a.secret = x\na.secret_file = /etc/passwd\n", no_environment, &s, &problems),
               ERR_CONFIG);
    assert_contains(text_str(&problems), "a.secret: given twice, in ");
    assert_lacks(text_str(&problems), "root");
}
END_TEST

START_TEST(a_value_in_a_variable_and_in_its_file_is_a_mistake)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_err(load(NULL, ENV(secret_variable, variable("ACTIVESTACK_A_SECRET_FILE=/etc/passwd")),
                    &s, &problems),
               ERR_CONFIG);
    assert_text(&problems, "a.secret: given twice, in ACTIVESTACK_A_SECRET and in "
                           "ACTIVESTACK_A_SECRET_FILE\n");
}
END_TEST

/* Loads the file and one variable (or NULL), and expects this line among the mistakes. */
static void check_mistake(const char *content, const char *setting, const char *expected)
{
    char *environment[] = {secret_variable, setting ? variable(setting) : NULL, NULL};
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_err(load(content, environment, &s, &problems), ERR_CONFIG);
    assert_contains(text_str(&problems), expected);
    ck_assert_int_eq(problems.at[problems.size - 1], '\n');
}

START_TEST(unknown_keys_and_variables_are_mistakes)
{
    check_mistake("b.count = 1\nb.cuont = 1\n", NULL, "b.cuont: unknown setting, in /tmp/unit-");
    check_mistake("B.COUNT = 1\n", NULL, "B.COUNT: unknown setting");
    check_mistake("= 1\n", NULL, ": unknown setting");
    check_mistake(NULL, "ACTIVESTACK_B_CUONT=1", "ACTIVESTACK_B_CUONT: unknown variable\n");
    check_mistake(NULL, "ACTIVESTACK_B_CUONT_FILE=1", "ACTIVESTACK_B_CUONT_FILE: unknown");
    check_mistake(NULL, "ACTIVESTACK_=1", "ACTIVESTACK_: unknown variable\n");
}
END_TEST

START_TEST(variables_with_a_meaning_of_their_own_are_none)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_ok(
        load(NULL,
             ENV(secret_variable, variable("ACTIVESTACK_CONFIG=x"),
                 variable("ACTIVESTACK_URLS=ws://127.0.0.1:1"), variable("ACTIVESTACK_CTL=/x")),
             &s, &problems));
}
END_TEST

START_TEST(a_fault_is_a_mistake_unless_faults_are_compiled_in)
{
#ifdef ACTIVESTACK_FAULTS
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_ok(load(NULL, ENV(secret_variable, variable("ACTIVESTACK_FAULT=x")), &s, &problems));
#else
    check_mistake(NULL, "ACTIVESTACK_FAULT=x", "ACTIVESTACK_FAULT: unknown variable\n");
#endif
}
END_TEST

START_TEST(a_line_without_a_value_is_a_mistake)
{
    check_mistake("\nnonsense\n", NULL, ":2: expected `key = value`\n");
}
END_TEST

START_TEST(a_key_may_stand_only_once)
{
    check_mistake("b.count = 1\n\nb.count = 1\n", NULL, "b.count: given twice, in /tmp/unit-");
}
END_TEST

START_TEST(numbers_are_whole_and_within_their_range)
{
    static const char *const wrong[] = {
        "101", "-11", "", "-", "1.5", "0x1", " ", "1 2", "+1", "1e2", "99999999999999999999999"};

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        char setting[128];

        snprintf(setting, sizeof(setting), "ACTIVESTACK_B_COUNT=%s", wrong[i]);
        check_mistake(NULL, setting,
                      "in ACTIVESTACK_B_COUNT: expected a whole number from -10 to "
                      "100 (ms)\n");
    }
    check_mistake("b.count = 101", NULL, "b.count: \"101\" is not allowed, in /tmp/unit-");
    check_mistake("\nb.count = x", NULL, ":2: expected a whole number");
}
END_TEST

START_TEST(the_limits_of_a_number_are_allowed)
{
    SAMPLE low = {0}, high = {0};
    TEXT problems = {0};

    assert_ok(
        load(NULL, ENV(secret_variable, variable("ACTIVESTACK_B_COUNT=-10")), &low, &problems));
    ck_assert_int_eq(low.count, -10);
    assert_ok(
        load(NULL, ENV(secret_variable, variable("ACTIVESTACK_B_COUNT=100")), &high, &problems));
    ck_assert_int_eq(high.count, 100);
}
END_TEST

START_TEST(the_length_of_a_text_is_bounded)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    check_mistake(NULL, "ACTIVESTACK_A_NAME=x", "a.name: \"x\" is not allowed");
    check_mistake(NULL, "ACTIVESTACK_A_NAME=xxxxxx", "expected text of 2 to 5 bytes\n");
    /* The default may be shorter, and may be given. */
    assert_ok(load(NULL, ENV(secret_variable, variable("ACTIVESTACK_A_NAME=")), &s, &problems));
}
END_TEST

START_TEST(other_words_than_true_and_false_are_mistakes)
{
    check_mistake("b.flag = yes\n", NULL, "b.flag: \"yes\" is not allowed");
    check_mistake("b.flag = TRUE\n", NULL, "expected true or false\n");
    check_mistake("b.flag =\n", NULL, "expected true or false\n");
}
END_TEST

START_TEST(a_choice_has_to_be_one_of_the_words)
{
    check_mistake("b.colour = gre\n", NULL, "expected one of green, red, blue\n");
    check_mistake("b.colour = green|red\n", NULL, "expected one of green, red, blue\n");
    check_mistake("b.colour =\n", NULL, "expected one of green, red, blue\n");
}
END_TEST

START_TEST(a_secret_is_not_told_even_if_it_is_wrong)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_err(load("a.secret = abc\n", no_environment, &s, &problems), ERR_CONFIG);
    assert_lacks(problems.at, "abc");
    assert_contains(problems.at, "a.secret: the value is not allowed, in /tmp/unit-");
}
END_TEST

START_TEST(what_has_no_default_must_be_given)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_err(load(NULL, no_environment, &s, &problems), ERR_CONFIG);
    assert_text(&problems, "a.secret: not set; give it in the file or as ACTIVESTACK_A_SECRET: "
                           "expected text of 4 to 64 bytes\n");
    ck_assert_str_eq(s.secret, "");
}
END_TEST

START_TEST(only_programs_that_use_it_need_it)
{
    SAMPLE s = {0};
    TEXT problems = {0};

    assert_ok(config_load(&table, TWO, NULL, no_environment, &s, &problems));
}
END_TEST

START_TEST(settings_of_other_programs_are_checked_too)
{
    check_mistake("a.optional = 0123456789\n", NULL, "a.optional: ");
}
END_TEST

START_TEST(files_that_cannot_be_read_are_mistakes)
{
    SAMPLE s = {0}, none = {0};
    TEXT problems = {0};

    check_mistake(NULL, "ACTIVESTACK_A_NAME_FILE=/nonexistent",
                  "ACTIVESTACK_A_NAME_FILE: cannot read /nonexistent: No such file or directory\n");
    check_mistake("a.name_file = /nonexistent\n", NULL,
                  ":1: cannot read /nonexistent: No such file or directory\n");
    check_mistake("_file = /nonexistent\n", NULL, "_file: unknown setting, in ");
    assert_err(config_load(&table, TWO, "/nonexistent", no_environment, &s, &problems), ERR_CONFIG);
    assert_text(&problems, "settings: cannot read /nonexistent: No such file or directory\n");
    text_clear(&problems);
    assert_err(config_load(&table, TWO, "/dev/zero", no_environment, &none, &problems), ERR_CONFIG);
    assert_text(&problems, "settings: cannot read /dev/zero: too large\n");
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
    SAMPLE s = {0};
    TEXT problems = {0};
    size_t lines = 0;

    assert_err(load("b.count = x\nb.flag = x\nx = x\nx\n",
                    ENV(variable("ACTIVESTACK_X=1"), variable("ACTIVESTACK_B_COLOUR=x")), &s,
                    &problems),
               ERR_CONFIG);
    for (size_t i = 0; i < problems.size; i++)
        lines += problems.at[i] == '\n';
    ck_assert_uint_eq(lines, 7); /* six, and the secret that was not given */
}
END_TEST

/* What a printing function writes, to be freed. */
static char *printed_help(unsigned program)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    config_print_help(&table, program, out);
    fclose(out);
    return text;
}

START_TEST(the_help_explains_the_rows_of_a_program)
{
    char *one = printed_help(ONE), *all = printed_help(0);

    assert_contains(one, "b.count  ACTIVESTACK_B_COUNT\n    How many.\n    a whole number from -10 "
                         "to 100 (ms); default: 5\n");
    assert_contains(one, "text of 4 to 64 bytes; default: none, must be given; secret\n");
    assert_contains(one, "default: empty\n");
    assert_contains(one, "one of green, red, blue; default: red; changes on SIGHUP\n");
    assert_lacks(one, "b.flag");
    assert_contains(all, "b.flag");
    assert_contains(all, "a.optional  ACTIVESTACK_A_OPTIONAL\n    Not needed.\n    text of 1 to 9 "
                         "bytes; default: none\n");
    free(one);
    free(all);
}
END_TEST

START_TEST(the_values_in_force_are_printed_without_secrets)
{
    SAMPLE s = {0};
    TEXT problems = {0};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_ok(
        load(NULL, ENV(secret_variable, variable("ACTIVESTACK_B_COLOUR=blue")), &s, &problems));
    config_print_values(&table, 0, &s, out);
    s.secret[0] = '\0';
    config_print_values(&table, ONE, &s, out);
    fclose(out);
    ck_assert_str_eq(text, "a.name = \na.secret = (set)\na.file = f\na.optional = \nb.count = 5\n"
                           "b.flag = true\nb.colour = blue\n"
                           "a.name = \na.secret = (empty)\na.file = f\nb.count = 5\n"
                           "b.colour = blue\n");
    free(text);
}
END_TEST

/* Of what is in force with defaults alone, when this is given as well. */
static void check_waiting(unsigned program, char *given, const char *expected)
{
    SAMPLE in_force = {0}, s = {0};
    TEXT problems = {0}, keys = {0};

    assert_ok(load(NULL, ENV(secret_variable), &in_force, &problems));
    assert_ok(load(NULL, ENV(secret_variable, given), &s, &problems));
    config_add_waiting(&table, program, &in_force, &s, &keys);
    assert_text(&keys, expected);
}

START_TEST(what_has_changed_waits_unless_it_is_reloaded)
{
    char *given[] = {variable("ACTIVESTACK_A_NAME=other"), variable("ACTIVESTACK_B_COUNT=6"),
                     variable("ACTIVESTACK_B_FLAG=false"), variable("ACTIVESTACK_B_COLOUR=blue")};
    static const char *const waiting_of_one[] = {"a.name", "b.count", "", ""};
    static const char *const waiting_of_two[] = {"a.name", "", "b.flag", ""};

    for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
        check_waiting(ONE, given[i], waiting_of_one[i]);
        check_waiting(TWO, given[i], waiting_of_two[i]);
    }
}
END_TEST

START_TEST(all_that_waits_is_told_and_no_secret)
{
    SAMPLE in_force = {0}, s = {0};
    TEXT problems = {0}, keys = {0};

    assert_ok(load("a.secret = before\n", no_environment, &in_force, &problems));
    assert_ok(load("a.secret = after\na.file = g\n", no_environment, &s, &problems));
    config_add_waiting(&table, ONE, &in_force, &s, &keys);
    assert_text(&keys, "a.secret, a.file");
}
END_TEST

UNIT_SUITE("config", what_is_not_given_has_its_default, the_file_is_read_line_by_line,
           the_environment_overrides_the_file, a_variable_may_name_a_file_with_the_value,
           a_key_may_name_a_file_with_the_value,
           a_value_and_a_file_with_it_in_one_file_are_a_mistake,
           a_key_that_ends_in_file_is_not_mistaken_for_one,
           a_value_in_a_variable_and_in_its_file_is_a_mistake,
           unknown_keys_and_variables_are_mistakes, variables_with_a_meaning_of_their_own_are_none,
           a_fault_is_a_mistake_unless_faults_are_compiled_in, a_line_without_a_value_is_a_mistake,
           a_key_may_stand_only_once, numbers_are_whole_and_within_their_range,
           the_limits_of_a_number_are_allowed, the_length_of_a_text_is_bounded,
           other_words_than_true_and_false_are_mistakes, a_choice_has_to_be_one_of_the_words,
           a_secret_is_not_told_even_if_it_is_wrong, what_has_no_default_must_be_given,
           only_programs_that_use_it_need_it, settings_of_other_programs_are_checked_too,
           files_that_cannot_be_read_are_mistakes, all_mistakes_are_told_at_once,
           the_help_explains_the_rows_of_a_program, the_values_in_force_are_printed_without_secrets,
           what_has_changed_waits_unless_it_is_reloaded, all_that_waits_is_told_and_no_secret)
