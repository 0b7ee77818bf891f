#include <string.h>

#include "common/process/metrics.h"
#include "common/process/process_figures.h"
#include "tests/support/unit.h"

enum { OPEN, CLOSED_1000, CLOSED_OTHER, BUSY, TOOK, ASKED_GOOD, ASKED_BAD, TOOK_EACH, ROWS };

// clang-format off
static const struct metrics_row rows[ROWS] = {
    [OPEN]         = { "open", NULL, METRICS_GAUGE, "Open things." },
    [CLOSED_1000]  = { "closed_total", "code=\"1000\"", METRICS_COUNTER, "Closed things." },
    [CLOSED_OTHER] = { "closed_total", "code=\"other\"", METRICS_COUNTER, "Closed things." },
    [BUSY]         = { "busy_seconds_total", NULL, METRICS_SECONDS, "Time." },
    [TOOK]         = { "took_seconds", NULL, METRICS_HISTOGRAM, "What things take." },
    [ASKED_GOOD]   = { "asked_total", "outcome=\"good\"", METRICS_COUNTER, "Questions.", "operation" },
    [ASKED_BAD]    = { "asked_total", "outcome=\"bad\"", METRICS_COUNTER, "Questions.", "operation" },
    [TOOK_EACH]    = { "each_seconds", NULL, METRICS_HISTOGRAM, "What questions take.", "operation" },
};
// clang-format on
static const struct metrics_table table = {rows, ARRAY_SIZE(rows)};

enum { FIND, HIDDEN, PUT };
static const char *const names[] = {[FIND] = "find", [HIDDEN] = NULL, [PUT] = "put"};

static struct metrics *metrics;
static struct text printed;

static void set_up(void)
{
    metrics = metrics_create(&table, &(struct metrics_names){names, ARRAY_SIZE(names)});
}

static void tear_down(void)
{
    metrics_destroy(metrics);
    text_deinit(&printed);
}

static const char *print(void)
{
    text_clear(&printed);
    metrics_print(metrics, &printed);
    return text_str(&printed);
}

START_TEST(everything_begins_with_zero)
{
    assert_contains(print(), "# HELP open Open things.\n# TYPE open gauge\nopen 0\n");
    assert_contains(print(), "\ntook_seconds_count 0\n");
}
END_TEST

START_TEST(figures_are_added_and_set)
{
    metrics_add(metrics, OPEN, 3);
    metrics_add(metrics, OPEN, -1);
    ck_assert_int_eq(metrics_get(metrics, OPEN), 2);
    metrics_set(metrics, OPEN, 9);
    assert_contains(print(), "\nopen 9\n");
}
END_TEST

START_TEST(rows_of_a_name_are_one_family)
{
    metrics_add(metrics, CLOSED_OTHER, 4);
    assert_contains(print(), "# HELP closed_total Closed things.\n# TYPE closed_total counter\n"
                             "closed_total{code=\"1000\"} 0\nclosed_total{code=\"other\"} 4\n#");
}
END_TEST

START_TEST(seconds_are_counted_in_microseconds)
{
    metrics_add(metrics, BUSY, 2000030);
    assert_contains(print(), "# TYPE busy_seconds_total counter\nbusy_seconds_total 2.000030\n");
}
END_TEST

START_TEST(a_bucket_holds_what_is_not_slower)
{
    metrics_observe(metrics, TOOK, 500);
    metrics_observe(metrics, TOOK, 501);
    metrics_observe(metrics, TOOK, 10000001);
    assert_contains(print(), "# TYPE took_seconds histogram\n"
                             "took_seconds_bucket{le=\"0.0005\"} 1\n"
                             "took_seconds_bucket{le=\"0.001\"} 2\n");
    assert_contains(print(), "took_seconds_bucket{le=\"10\"} 2\n"
                             "took_seconds_bucket{le=\"+Inf\"} 3\n"
                             "took_seconds_sum 10.001002\ntook_seconds_count 3\n");
}
END_TEST

START_TEST(each_name_has_a_value_of_its_own)
{
    metrics_add_of(metrics, ASKED_GOOD, PUT, 1);
    metrics_add_of(metrics, ASKED_BAD, FIND, 5);
    ck_assert_int_eq(metrics_get_of(metrics, ASKED_GOOD, PUT), 1);
    ck_assert_int_eq(metrics_get_of(metrics, ASKED_GOOD, FIND), 0);
    assert_contains(print(), "asked_total{operation=\"find\",outcome=\"good\"} 0\n"
                             "asked_total{operation=\"put\",outcome=\"good\"} 1\n"
                             "asked_total{operation=\"find\",outcome=\"bad\"} 5\n"
                             "asked_total{operation=\"put\",outcome=\"bad\"} 0\n");
}
END_TEST

START_TEST(a_name_that_is_none_is_counted_and_not_printed)
{
    metrics_add_of(metrics, ASKED_GOOD, HIDDEN, 77);
    ck_assert_int_eq(metrics_get_of(metrics, ASKED_GOOD, HIDDEN), 77);
    assert_lacks(print(), "77");
}
END_TEST

START_TEST(histograms_of_names_without_a_time_are_left_out)
{
    metrics_observe_of(metrics, TOOK_EACH, PUT, 700);
    assert_contains(print(), "each_seconds_bucket{operation=\"put\",le=\"0.001\"} 1\n");
    assert_contains(print(), "each_seconds_sum{operation=\"put\"} 0.000700\n");
    assert_lacks(print(), "each_seconds_count{operation=\"find\"}");
}
END_TEST

START_TEST(the_rows_explain_themselves)
{
    char told[4096];
    FILE *file = tmpfile();

    metrics_print_help(&table, file);
    rewind(file);
    told[fread(told, 1, sizeof(told) - 1, file)] = '\0';
    fclose(file);
    assert_contains(told, "open  gauge\n    Open things.\n\n"
                          "closed_total  counter\n    Closed things.\n    code: 1000, other\n\n");
    assert_contains(told, "asked_total  counter\n    Questions.\n    operation: each\n"
                          "    outcome: good, bad\n\n");
}
END_TEST

START_TEST(a_process_tells_of_itself)
{
    process_figures_print(&printed);
    assert_contains(text_str(&printed),
                    "\nactivestack_build_info{version=\"" ACTIVESTACK_VERSION "\"} 1\n");
    assert_contains(text_str(&printed), "\nprocess_resident_memory_bytes ");
    assert_lacks(text_str(&printed), "process_resident_memory_bytes 0\n");
    assert_lacks(text_str(&printed), "process_start_time_seconds 0\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {everything_begins_with_zero,
                                  figures_are_added_and_set,
                                  rows_of_a_name_are_one_family,
                                  seconds_are_counted_in_microseconds,
                                  a_bucket_holds_what_is_not_slower,
                                  each_name_has_a_value_of_its_own,
                                  a_name_that_is_none_is_counted_and_not_printed,
                                  histograms_of_names_without_a_time_are_left_out,
                                  the_rows_explain_themselves,
                                  a_process_tells_of_itself};
    TCase *tcase = tcase_create("metrics");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(tcase, tests[i]);
    return unit_run_case("metrics", tcase);
}
