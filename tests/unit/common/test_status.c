#include <string.h>

#include "common/process/status.h"
#include "tests/support/unit.h"

static bool is_still, is_away;

static void stands_still(const void *arg, struct text *out)
{
    (void)arg;
    if (is_still)
        text_add(out, "standing still: worker 2\n");
}

static void missing(const void *arg, struct text *out)
{
    (void)arg;
    if (is_away)
        text_add(out, "missing: broker\n");
}

static void figures(const void *arg, struct text *out)
{
    text_addf(out, "%s 1\n", (const char *)arg);
}

static const struct status_source source = {stands_still, missing, figures, "things"};

static void assert_page(const char *path, int status, const char *body)
{
    _cleanup_(text_deinitp) struct text page = {0};

    ck_assert_int_eq(status_page(&source, path, &page), status);
    assert_text(&page, body);
}

START_TEST(a_program_that_moves_is_alive)
{
    is_away = true;
    assert_page("/healthz", 200, "ok\n");
    is_still = true;
    assert_page("/healthz", 503, "standing still: worker 2\n");
}
END_TEST

START_TEST(a_program_that_misses_nothing_is_ready)
{
    assert_page("/readyz", 200, "ready\n");
    is_away = true;
    assert_page("/readyz", 503, "missing: broker\n");
}
END_TEST

START_TEST(figures_are_the_programs_and_the_processs)
{
    _cleanup_(text_deinitp) struct text page = {0};

    ck_assert_int_eq(status_page(&source, "/metrics", &page), 200);
    assert_contains(text_str(&page), "things 1\n");
    assert_contains(text_str(&page), "\nprocess_open_fds ");
}
END_TEST

START_TEST(there_are_no_other_pages)
{
    assert_page("/", 404, "");
    assert_page("/readyz/", 404, "");
}
END_TEST

START_TEST(without_a_port_there_is_nothing_to_start)
{
    struct status *status;

    assert_ok(status_start("127.0.0.1", 0, &source, &status));
    ck_assert_ptr_null(status);
    status_stop(status);
}
END_TEST

START_TEST(an_address_that_is_none_is_told)
{
    struct status *status;

    assert_err(status_start("192.0.2.1", 9, &source, &status), ERR_IO);
    ck_assert_ptr_null(status);
}
END_TEST

UNIT_SUITE("status", a_program_that_moves_is_alive, a_program_that_misses_nothing_is_ready,
           figures_are_the_programs_and_the_processs, there_are_no_other_pages,
           without_a_port_there_is_nothing_to_start, an_address_that_is_none_is_told)
