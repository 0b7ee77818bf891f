#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * measure - latencies of answers within a window of time.
 *
 * The window opens after a warm-up, which a line "begin" on standard output tells, so that whoever
 * started the program can look at the clocks of other processes; when it is over one line of JSON
 * follows. Times are those of clock_mono_us().
 */

#define MEASURE_FINE  64 /* buckets for each doubling of a latency: 1.6 % apart at most */
#define MEASURE_COUNT ((size_t)MEASURE_FINE * 32)

struct measure {
    int64_t begin_us, end_us; /* the window */
    int64_t begun_us;         /* when "begin" was told; 0: not yet */
    uint64_t count;           /* answers in the window */
    uint64_t total;           /* with those before it */
    uint64_t buckets[MEASURE_COUNT];
};

void measure_init(struct measure *m, int64_t seconds);

/* Something was answered just now that was asked at asked_us. */
void measure_answer(struct measure *m, int64_t asked_us);

bool measure_is_over(const struct measure *m);

/* {"count": answers, "total": with the warm-up's, "rate": per second, "p50": us, "p95": us, "p99":
 * us} */
void measure_print(const struct measure *m);

/* One line on standard output, at once: whoever reads it waits for it. */
void measure_tell(const char *line);

/* Ends the program: a benchmark that does not go as it should shall not print a figure. */
_Noreturn void measure_die(const char *what, const char *detail);
