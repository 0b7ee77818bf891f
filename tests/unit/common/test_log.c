#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/json/json_scan.h"
#include "tests/support/unit.h"

/* A clock that stands still until a test moves it; it takes the place of common/base/clock.c. */
#define NOON_MS 1769860800123 /* 2026-01-31T12:00:00.123Z */

static int64_t now_ms;

int64_t clock_mono_ms(void)
{
    return now_ms;
}

int64_t clock_mono_us(void)
{
    return now_ms * 1000;
}

int64_t clock_wall_ms(void)
{
    return now_ms;
}

/* What was logged. */
static char *lines;
static size_t lines_size;
static FILE *stream;

static void capture(enum log_level level, bool json)
{
    now_ms = NOON_MS;
    stream = open_memstream(&lines, &lines_size);
    ck_assert_ptr_nonnull(stream);
    log_init("unit", level, json);
    log_redirect(stream);
}

static const char *captured(void)
{
    fflush(stream);
    return lines;
}

static void end_capture(void)
{
    log_redirect(NULL);
    fclose(stream);
    free(lines);
}

static size_t count_lines(void)
{
    size_t count = 0;

    for (const char *c = captured(); *c; c++)
        count += *c == '\n';
    return count;
}

START_TEST(an_event_is_one_line_with_its_fields)
{
    capture(LOG_LEVEL_INFO, false);
    log_info("client.closed", LOG_STR("client", "4f"), LOG_I64("code", 1009), LOG_STR("user", NULL),
             LOG_ERR(ERR_AWAY));
    ck_assert_str_eq(captured(), "2026-01-31T12:00:00.123Z info client.closed client=4f code=1009 "
                                 "user=null error=\"a server cannot be reached\"\n");
    end_capture();
}
END_TEST

START_TEST(the_same_event_as_json)
{
    capture(LOG_LEVEL_INFO, true);
    log_error("x.failed", LOG_STR("client", "4f"), LOG_I64("code", -9), LOG_STR("user", NULL));
    ck_assert_str_eq(captured(), "{\"time\":\"2026-01-31T12:00:00.123Z\",\"level\":\"error\","
                                 "\"program\":\"unit\",\"event\":\"x.failed\",\"client\":\"4f\","
                                 "\"code\":-9,\"user\":null}\n");
    end_capture();
}
END_TEST

START_TEST(levels_below_the_chosen_one_are_silent)
{
    int evaluated = 0;

    capture(LOG_LEVEL_WARN, false);
    log_info("quiet", LOG_I64("n", ++evaluated));
    log_debug("quiet", LOG_I64("n", ++evaluated));
    ck_assert_str_eq(captured(), "");
    ck_assert_int_eq(evaluated, 0); /* not even the fields are made */
    ck_assert(log_enabled(LOG_LEVEL_ERROR));
    ck_assert(log_enabled(LOG_LEVEL_WARN));
    ck_assert(!log_enabled(LOG_LEVEL_INFO));
    log_warn("loud", LOG_I64("n", 1));
    assert_contains(captured(), " warn loud n=1\n");
    end_capture();
}
END_TEST

/* Everything that could end a line, end a field, or steer a terminal. */
static const char forged[] = "x\n2026 error forged a=b \"q\" \\ \r\x1b[31m\x7f\xc2\x9b\xe2\x80\xa8"
                             "\xff\xed\xa0\x80\xc3";

START_TEST(a_value_cannot_forge_a_line)
{
    capture(LOG_LEVEL_INFO, false);
    log_info("event", LOG_STR("value", forged), LOG_STR("next", "1"));
    ck_assert_uint_eq(count_lines(), 1);
    for (const char *c = captured(); c[1]; c++)
        ck_assert_msg((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f, "byte %02x",
                      (unsigned)(unsigned char)*c);
    assert_contains(captured(), " value=\"x\\u000a2026 error forged a=b \\\"q\\\" \\\\ \\u000d");
    ck_assert_str_eq(strstr(captured(), " next"), " next=1\n");
    end_capture();
}
END_TEST

START_TEST(a_value_cannot_break_json)
{
    static const struct json_limits limits = {8, 100};

    capture(LOG_LEVEL_INFO, true);
    log_info("event", LOG_STR("value", forged), LOG_STR("next", "1"));
    ck_assert_uint_eq(count_lines(), 1);
    assert_ok(json_check(captured(), lines_size, &limits, NULL));
    ck_assert(json_string_is(json_member(json_span_of(captured()), "next", NULL), "1"));
    end_capture();
}
END_TEST

START_TEST(values_that_could_be_misread_are_quoted)
{
    capture(LOG_LEVEL_INFO, false);
    log_info("event", LOG_STR("a", ""), LOG_STR("b", "x y"), LOG_STR("c", "x=y"),
             LOG_STR("d", "\xc3\xbc"), LOG_STR("e", "a.b-c/d:e"));
    assert_contains(captured(), " a=\"\" b=\"x y\" c=\"x=y\" d=\"\xc3\xbc\" e=a.b-c/d:e\n");
    end_capture();
}
END_TEST

START_TEST(a_flood_of_warnings_is_counted_instead)
{
    capture(LOG_LEVEL_INFO, false);
    for (int i = 0; i < 1000; i++)
        log_warn("flood", LOG_I64("i", i));
    ck_assert_uint_eq(count_lines(), 20);
    log_warn("other", LOG_I64("i", 0)); /* has its own account */
    ck_assert_uint_eq(count_lines(), 21);

    now_ms += 9999;
    log_warn("flood", LOG_I64("i", 1000));
    ck_assert_uint_eq(count_lines(), 21);
    now_ms += 1;
    log_warn("flood", LOG_I64("i", 1001));
    ck_assert_uint_eq(count_lines(), 22);
    assert_contains(captured(), "flood i=1001 suppressed=981\n");
    log_warn("flood", LOG_I64("i", 1002));
    assert_contains(captured(), "flood i=1002\n");
    end_capture();
}
END_TEST

START_TEST(information_is_never_suppressed)
{
    capture(LOG_LEVEL_INFO, false);
    for (int i = 0; i < 100; i++)
        log_info("start", LOG_I64("i", i));
    ck_assert_uint_eq(count_lines(), 100);
    end_capture();
}
END_TEST

START_TEST(with_too_many_names_nothing_is_lost)
{
    static char names[200][8];

    capture(LOG_LEVEL_INFO, false);
    for (int i = 0; i < 200; i++) {
        snprintf(names[i], sizeof(names[i]), "n%d", i);
        log_warn(names[i], LOG_I64("i", i));
    }
    ck_assert_uint_eq(count_lines(), 200);
    end_capture();
}
END_TEST

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

#define THREADS 4
#define EVENTS  500UL

static void *log_some(void *arg)
{
    for (size_t i = 0; i < EVENTS; i++) {
        log_info("thread", LOG_STR("name", arg), LOG_I64("i", i));
        log_warn("noise", LOG_STR("name", arg));
    }
    return NULL;
}

START_TEST(lines_of_threads_do_not_mix)
{
    static char name[] = "abcdefghijklmnopqrstuvwxyz";
    pthread_t threads[THREADS];
    size_t whole = 0;

    capture(LOG_LEVEL_INFO, false);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_some, name), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (const char *line = captured(); *line; line = strchr(line, '\n') + 1) {
        ck_assert(starts_with(line, "2026-01-31T12:00:00.123Z "));
        whole += starts_with(line, "2026-01-31T12:00:00.123Z info thread "
                                   "name=abcdefghijklmnopqrstuvwxyz i=");
    }
    ck_assert_uint_eq(whole, THREADS * EVENTS);
    ck_assert_uint_eq(count_lines(), THREADS * EVENTS + 20);
    end_capture();
}
END_TEST

UNIT_SUITE("log", an_event_is_one_line_with_its_fields, the_same_event_as_json,
           levels_below_the_chosen_one_are_silent, a_value_cannot_forge_a_line,
           a_value_cannot_break_json, values_that_could_be_misread_are_quoted,
           a_flood_of_warnings_is_counted_instead, information_is_never_suppressed,
           lines_of_threads_do_not_mix, with_too_many_names_nothing_is_lost)
