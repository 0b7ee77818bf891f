#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

/*
 * metrics - figures of a program, as Prometheus reads them.
 *
 * A table names each figure and explains it; a set holds the values of one table. Rows that follow
 * each other may share a name and differ in a label. A row with `each` has a value for each name
 * that the set was made with: the operations of an agent, say.
 *
 * The same rows print the documentation (--help-metrics).
 *
 * Threads: values are atomics and stand alone; everything but creating and destroying a set may be
 * called from any thread, and nothing waits.
 */

enum metrics_kind {
    METRICS_COUNTER,  /* only grows */
    METRICS_GAUGE,    /* goes up and down */
    METRICS_SECONDS,  /* a counter of microseconds, printed as seconds */
    METRICS_HISTOGRAM /* of times in microseconds, printed as seconds */
};

struct metrics_row {
    const char *name;
    const char *label; /* as it is printed, code="1000"; NULL: none */
    enum metrics_kind kind;
    const char *help; /* one sentence, the same in all rows of a name */
    const char *each; /* a label that has one value for each name of the set; NULL: none */
};

struct metrics_table {
    const struct metrics_row *rows;
    size_t count;
};

struct metrics;

/* The names that rows with `each` have values for. */
struct metrics_names {
    const char *const *at; /* NULL among them: one that is counted, and not printed */
    size_t count;
};

/* Everything is 0. Never NULL. The table is borrowed, and so is the text of each name; `names` may
 * be NULL if no row has `each`. */
struct metrics *metrics_create(const struct metrics_table *table,
                               const struct metrics_names *names);
void metrics_destroy(struct metrics *m);

/* `row` is a place in the table. */
void metrics_add(struct metrics *m, size_t row, int64_t amount);
void metrics_set(struct metrics *m, size_t row, int64_t value);
int64_t metrics_get(const struct metrics *m, size_t row);

/* A time, of a row that is a histogram. */
void metrics_observe(struct metrics *m, size_t row, int64_t us);

/* The same of rows with `each`: `name` is a place in the names. */
void metrics_add_of(struct metrics *m, size_t row, size_t name, int64_t amount);
int64_t metrics_get_of(const struct metrics *m, size_t row, size_t name);
void metrics_observe_of(struct metrics *m, size_t row, size_t name, int64_t us);

/* Adds everything in the Prometheus text format, version 0.0.4. Histograms of a name that nothing
 * was observed of are left out: most operations are hardly ever used. */
void metrics_print(const struct metrics *m, struct text *out);

/* Prints the rows as documentation: name, kind, help, the values of their label. */
void metrics_print_help(const struct metrics_table *table, FILE *out);

DEFINE_CLEANUP(struct metrics *, metrics_destroy)
