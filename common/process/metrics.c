#include "common/process/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MICRO 1000000

/* Upper bounds of a histogram, in microseconds and as Prometheus writes them. */
static const struct {
    int64_t us;
    const char *seconds;
} bounds[] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"},
};

/* The cells of a histogram: one for each bound, one for everything slower, and the sum. */
#define BUCKETS         (ARRAY_SIZE(bounds) + 1)
#define HISTOGRAM_CELLS (BUCKETS + 1)

struct cell {
    atomic_int_least64_t value;
};

struct metrics {
    const struct metrics_table *table;
    const char **names; /* see struct metrics_names */
    size_t name_count;
    size_t *first; /* cell of each row; its values for the names follow each other */
    struct cell *cells;
};

static const struct {
    const char *type; /* as Prometheus calls it */
    size_t cells;
} kinds[] = {
    [METRICS_COUNTER] = {"counter", 1},
    [METRICS_GAUGE] = {"gauge", 1},
    [METRICS_SECONDS] = {"counter", 1},
    [METRICS_HISTOGRAM] = {"histogram", HISTOGRAM_CELLS},
};

/* ---- Life ---- */

static size_t values_of(const struct metrics *m, const struct metrics_row *row)
{
    return row->each ? m->name_count : 1;
}

/* Returns how many cells there are in all. */
static size_t place_rows(struct metrics *m)
{
    size_t count = 0;

    for (size_t i = 0; i < m->table->count; i++) {
        const struct metrics_row *row = &m->table->rows[i];

        m->first[i] = count;
        count += values_of(m, row) * kinds[row->kind].cells;
    }
    return count;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory)
        err_out_of_memory();
    return memory;
}

struct metrics *metrics_create(const struct metrics_table *table, const struct metrics_names *names)
{
    struct metrics *m = allocate(1, sizeof(*m));

    m->table = table;
    if (names) {
        m->names = allocate(names->count, sizeof(*m->names));
        memcpy(m->names, names->at, names->count * sizeof(*m->names));
        m->name_count = names->count;
    }
    m->first = allocate(table->count, sizeof(*m->first));
    m->cells = allocate(place_rows(m), sizeof(*m->cells));
    return m;
}

void metrics_destroy(struct metrics *m)
{
    if (!m)
        return;
    free(m->names);
    free(m->first);
    free(m->cells);
    free(m);
}

/* ---- Counting ---- */

static struct cell *cells_of(const struct metrics *m, size_t row, size_t name)
{
    return &m->cells[m->first[row] + name * kinds[m->table->rows[row].kind].cells];
}

static int64_t read_cell(const struct cell *cell)
{
    return atomic_load_explicit(&cell->value, memory_order_relaxed);
}

static void add_to_cell(struct cell *cell, int64_t amount)
{
    atomic_fetch_add_explicit(&cell->value, amount, memory_order_relaxed);
}

void metrics_add(struct metrics *m, size_t row, int64_t amount)
{
    metrics_add_of(m, row, 0, amount);
}

void metrics_set(struct metrics *m, size_t row, int64_t value)
{
    atomic_store_explicit(&cells_of(m, row, 0)->value, value, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *m, size_t row)
{
    return metrics_get_of(m, row, 0);
}

void metrics_observe(struct metrics *m, size_t row, int64_t us)
{
    metrics_observe_of(m, row, 0, us);
}

void metrics_add_of(struct metrics *m, size_t row, size_t name, int64_t amount)
{
    add_to_cell(cells_of(m, row, name), amount);
}

int64_t metrics_get_of(const struct metrics *m, size_t row, size_t name)
{
    return read_cell(cells_of(m, row, name));
}

void metrics_observe_of(struct metrics *m, size_t row, size_t name, int64_t us)
{
    struct cell *cells = cells_of(m, row, name);
    size_t bucket = 0;

    while (bucket < ARRAY_SIZE(bounds) && us > bounds[bucket].us)
        bucket++;
    add_to_cell(&cells[bucket], 1);
    add_to_cell(&cells[BUCKETS], us);
}

/* ---- Printing ---- */

static bool begins_family(const struct metrics_table *table, size_t row)
{
    return row == 0 || strcmp(table->rows[row].name, table->rows[row - 1].name) != 0;
}

/* Adds the labels in braces, of which a row need not have any; `le` is that of a bucket, or NULL.
 */
static void add_labels(struct text *out, const struct metrics_row *row, const char *name,
                       const char *le)
{
    const char *separator = "{";

    if (row->each) {
        text_addf(out, "%s%s=\"%s\"", separator, row->each, name);
        separator = ",";
    }
    if (row->label) {
        text_addf(out, "%s%s", separator, row->label);
        separator = ",";
    }
    if (le) {
        text_addf(out, "%sle=\"%s\"", separator, le);
        separator = ",";
    }
    if (*separator == ',')
        text_add_char(out, '}');
}

static void add_seconds(struct text *out, int64_t us)
{
    text_addf(out, " %lld.%06lld\n", (long long)(us / MICRO), (long long)(us % MICRO));
}

static void print_value(const struct metrics_row *row, const struct cell *cells, const char *name,
                        struct text *out)
{
    const int64_t value = read_cell(cells);

    text_add(out, row->name);
    add_labels(out, row, name, NULL);
    if (row->kind == METRICS_SECONDS)
        add_seconds(out, value);
    else
        text_addf(out, " %lld\n", (long long)value);
}

static void print_histogram(const struct metrics_row *row, const struct cell *cells,
                            const char *name, struct text *out)
{
    const int64_t sum_us = read_cell(&cells[BUCKETS]);
    const size_t begin = out->size;
    int64_t count = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        count += read_cell(&cells[i]);
        text_addf(out, "%s_bucket", row->name);
        add_labels(out, row, name, i < ARRAY_SIZE(bounds) ? bounds[i].seconds : "+Inf");
        text_addf(out, " %lld\n", (long long)count);
    }
    text_addf(out, "%s_sum", row->name);
    add_labels(out, row, name, NULL);
    add_seconds(out, sum_us);
    text_addf(out, "%s_count", row->name);
    add_labels(out, row, name, NULL);
    text_addf(out, " %lld\n", (long long)count);
    if (!count && row->each)
        text_cut(out, begin);
}

static void print_row(const struct metrics *m, size_t row_number, struct text *out)
{
    const struct metrics_row *row = &m->table->rows[row_number];

    for (size_t i = 0; i < values_of(m, row); i++) {
        const char *name = row->each ? m->names[i] : "";
        const struct cell *cells = cells_of(m, row_number, i);

        if (!name)
            continue;
        if (row->kind == METRICS_HISTOGRAM)
            print_histogram(row, cells, name, out);
        else
            print_value(row, cells, name, out);
    }
}

void metrics_print(const struct metrics *m, struct text *out)
{
    for (size_t i = 0; i < m->table->count; i++) {
        const struct metrics_row *row = &m->table->rows[i];

        if (begins_family(m->table, i))
            text_addf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                      kinds[row->kind].type);
        print_row(m, i, out);
    }
}

/* ---- Documentation ---- */

/* The values that the label has in the rows from `row` on: "    code: 1000, 1001\n". */
static void print_label_values(const struct metrics_table *table, size_t row, FILE *out)
{
    const char *label = table->rows[row].label;
    const char *value = strchr(label, '=');

    fprintf(out, "    %.*s: ", (int)(value - label), label);
    for (size_t i = row; i < table->count && (i == row || !begins_family(table, i)); i++) {
        value = strchr(table->rows[i].label, '"') + 1;
        fprintf(out, "%s%.*s", i == row ? "" : ", ", (int)strcspn(value, "\""), value);
    }
    fputc('\n', out);
}

void metrics_print_help(const struct metrics_table *table, FILE *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct metrics_row *row = &table->rows[i];

        if (!begins_family(table, i))
            continue;
        fprintf(out, "%s  %s\n    %s\n", row->name, kinds[row->kind].type, row->help);
        if (row->each)
            fprintf(out, "    %s: each\n", row->each);
        if (row->label)
            print_label_values(table, i, out);
        fputc('\n', out);
    }
}
