#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

#define WARM_UP_US 500000

void measure_init(struct measure *m, int64_t seconds)
{
    memset(m, 0, sizeof(*m));
    m->begin_us = clock_mono_us() + WARM_UP_US;
    m->end_us = m->begin_us + seconds * 1000000;
}

/* Exact below MEASURE_FINE microseconds, then MEASURE_FINE buckets from each power of two to the
 * next. */
static size_t bucket_of(uint64_t us)
{
    unsigned shift = 0;

    while (us >> shift >= (uint64_t)2 * MEASURE_FINE)
        shift++;
    return shift * (size_t)MEASURE_FINE + (us >> shift);
}

/* The least latency that falls into the bucket. */
static uint64_t bucket_start(size_t bucket)
{
    size_t shift = bucket < (size_t)2 * MEASURE_FINE ? 0 : bucket / MEASURE_FINE - 1;

    return (uint64_t)(bucket - shift * MEASURE_FINE) << shift;
}

void measure_answer(struct measure *m, int64_t asked_us)
{
    int64_t now = clock_mono_us();
    size_t bucket;

    m->total++;
    if (now < m->begin_us || now >= m->end_us)
        return;
    if (!m->begun_us) {
        m->begun_us = now;
        measure_tell("begin");
    }
    bucket = bucket_of((uint64_t)(now - asked_us));
    m->buckets[bucket < MEASURE_COUNT ? bucket : MEASURE_COUNT - 1]++;
    m->count++;
}

bool measure_is_over(const struct measure *m)
{
    return clock_mono_us() >= m->end_us;
}

static uint64_t percentile(const struct measure *m, unsigned percent)
{
    uint64_t before = m->count * percent / 100;
    size_t i = 0;

    for (; i + 1 < MEASURE_COUNT && before >= m->buckets[i]; i++)
        before -= m->buckets[i];
    return bucket_start(i);
}

void measure_print(const struct measure *m)
{
    char line[256];

    if (!m->count)
        measure_die("nothing was answered", "");
    (void)snprintf(line, sizeof(line),
                   "{\"count\": %llu, \"total\": %llu, \"rate\": %.1f, \"p50\": %llu, \"p95\": "
                   "%llu, \"p99\": %llu}",
                   (unsigned long long)m->count, (unsigned long long)m->total,
                   (double)m->count * 1e6 / (double)(m->end_us - m->begun_us),
                   (unsigned long long)percentile(m, 50), (unsigned long long)percentile(m, 95),
                   (unsigned long long)percentile(m, 99));
    measure_tell(line);
}

void measure_tell(const char *line)
{
    if (puts(line) < 0 || fflush(stdout))
        exit(EXIT_FAILURE); /* nobody reads any more */
}

void measure_die(const char *what, const char *detail)
{
    (void)fprintf(stderr, "%s: %s\n", what, detail);
    exit(EXIT_FAILURE);
}
