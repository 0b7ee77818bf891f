#include "agents/sync/reads/rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/model/model_watch_value.h"

void rows_begin(struct rows *rows, const struct model *model, const struct model_query *query,
                size_t most_bytes)
{
    *rows = (struct rows){.model = model, .query = query, .most_bytes = most_bytes};
}

static void row_deinit(struct row *row)
{
    text_deinit(&row->json);
    free((void *)row->keys);
}

void rows_deinit(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        row_deinit(&rows->items[i]);
    free(rows->items);
}

/* ---- Their order ---- */

static int by_order(const void *a, const void *b, void *arg)
{
    const struct row *left = a, *right = b;
    const struct rows *rows = arg;
    const int order = model_compare_ordered(rows->model, rows->query->order,
                                            rows->query->order_count, left->keys, right->keys);

    return order ? order : (left->number > right->number) - (left->number < right->number);
}

/* The rows that no others can bring back are dropped. */
static void cut(struct rows *rows)
{
    if (rows->query->order_count > 0 && rows->count > 0)
        qsort_r(rows->items, rows->count, sizeof(*rows->items), by_order, rows);
    while (rows->count > rows->query->limit) {
        struct row *last = &rows->items[--rows->count];

        rows->bytes -= last->json.size;
        row_deinit(last);
    }
}

void rows_end(struct rows *rows)
{
    cut(rows);
}

/* ---- One row ---- */

static const char *text_in(const struct model_term *term, struct stored_ref ref,
                           const struct redis_reply *fields)
{
    const struct model_origin *origin = model_origin_of(term, ref.class_);

    return origin ? model_said(origin->field, stored_text(fields, origin->field)) : NULL;
}

/* Pointers, and behind them the texts. */
static const char **keys_of(const struct model_query *query, struct stored_ref ref,
                            const struct redis_reply *fields)
{
    size_t size = query->order_count * sizeof(char *);
    const char **keys;
    char *at;

    for (size_t i = 0; i < query->order_count; i++) {
        const char *text = text_in(&query->order[i].term, ref, fields);

        size += text ? strlen(text) + 1 : 0;
    }
    keys = calloc(1, size + 1);
    if (!keys)
        err_out_of_memory();
    at = (char *)&keys[query->order_count];
    for (size_t i = 0; i < query->order_count; i++) {
        const char *text = text_in(&query->order[i].term, ref, fields);

        if (text) {
            keys[i] = at;
            at = stpcpy(at, text) + 1;
        }
    }
    return keys;
}

static void add_columns(struct text *out, const struct model_field *const *columns,
                        const struct redis_reply *fields)
{
    text_add_char(out, '[');
    for (size_t i = 0; columns[i]; i++) {
        if (i > 0)
            text_add_char(out, ',');
        text_add(out, model_said(columns[i], stored_text(fields, columns[i])));
    }
    text_add_char(out, ']');
}

static struct row *new_row(struct rows *rows)
{
    if (rows->count == rows->room) {
        rows->room = 2 * rows->room + 16;
        rows->items = reallocarray(rows->items, rows->room, sizeof(*rows->items));
        if (!rows->items)
            err_out_of_memory();
    }
    rows->items[rows->count] = (struct row){.number = rows->added++};
    return &rows->items[rows->count++];
}

/* Without an order the first ones are the answer. An order needs all; so that they never fill the
 * memory, they are cut now and then, and given up if they are too large even so. */
static void look_for_end(struct rows *rows)
{
    if (rows->query->order_count == 0) {
        rows->are_complete = rows->count == rows->query->limit || rows->bytes > rows->most_bytes;
    } else if (rows->count >= 2 * rows->query->limit || rows->bytes > 2 * rows->most_bytes) {
        cut(rows);
        rows->are_complete = rows->bytes > rows->most_bytes;
    }
}

void rows_add(struct rows *rows, struct stored_ref ref, const struct redis_reply *fields)
{
    struct row *row = new_row(rows);

    if (rows->query->columns)
        add_columns(&row->json, rows->query->columns, fields);
    else
        stored_add_object(&row->json, ref, fields);
    row->keys = keys_of(rows->query, ref, fields);
    rows->bytes += row->json.size;
    look_for_end(rows);
}

void rows_add_all(struct text *out, const struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        text_add_bytes(out, rows->items[i].json.at, rows->items[i].json.size);
    }
}
