#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/model_watch_value.h"

/* Values added up. */

void model_total_begin(struct model_total *total, const struct model_watcher *watcher)
{
    *total = (struct model_total){.value = watcher->value, .type = watcher->field.type};
}

void model_total_deinit(struct model_total *total)
{
    free(total->parts);
    text_deinit(&total->extreme);
}

/* ---- A sum without rounding (J. R. Shewchuk 1997): parts that have no bits in common ---- */

static void push_part(struct model_total *total, double part)
{
    if (total->part_count == total->part_room) {
        total->part_room = 2 * total->part_room + 4;
        total->parts = reallocarray(total->parts, total->part_room, sizeof(*total->parts));
        if (!total->parts)
            err_out_of_memory();
    }
    total->parts[total->part_count++] = part;
}

static void add_part(struct model_total *total, double x)
{
    const size_t count = total->part_count;

    total->part_count = 0;
    for (size_t i = 0; i < count; i++) {
        const double y = total->parts[i], sum = x + y;
        const double rest = fabs(x) < fabs(y) ? x - (sum - y) : y - (sum - x);

        if (rest != 0)
            total->parts[total->part_count++] = rest;
        x = sum;
    }
    total->endless = total->endless || !isfinite(x);
    push_part(total, x);
}

/* The nearest double. What is left of the parts decides where two are equally near. */
static double rounded(const struct model_total *total)
{
    size_t i = total->part_count;
    double sum = 0, rest = 0, next;

    while (i > 0 && rest == 0) {
        const double before = sum, part = total->parts[--i];

        sum = before + part;
        rest = part - (sum - before);
    }
    next = sum + 2 * rest;
    if (i > 0 && rest * total->parts[i - 1] > 0 && next - sum == 2 * rest)
        sum = next;
    return sum;
}

/* ---- Adding ---- */

static void add_number(struct model_total *total, const char *text)
{
    int64_t whole;

    if (json_int64(json_span_of(text), &whole))
        add_part(total, strtod(text, NULL));
    else
        total->whole += whole;
}

/* Of equal numbers the one whose text is first, so that it does not matter which came first. */
static void add_extreme(struct model_total *total, const char *text)
{
    const char *best = total->extreme.at;
    int order = best ? model_compare_values(NULL, total->type, text, best) : -1;

    if (best && total->value == WATCH_MAX)
        order = -order;
    if (best && order == 0)
        order = strcmp(text, best);
    if (order < 0) {
        text_clear(&total->extreme);
        text_add(&total->extreme, text);
    }
}

void model_total_add(struct model_total *total, const char *text)
{
    if (total->value != WATCH_COUNT && (!text || strcmp(text, "null") == 0))
        return;
    total->count++;
    if (total->value == WATCH_SUM || total->value == WATCH_AVG)
        add_number(total, text);
    else if (total->value == WATCH_MIN || total->value == WATCH_MAX)
        add_extreme(total, text);
}

/* ---- The value ---- */

static void add_double(struct text *out, double number)
{
    char text[40];

    if (!isfinite(number)) {
        text_add(out, "null");
        return;
    }
    for (int digits = 15; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    text_add(out, text);
}

/* The integers in parts that a double holds, then with the others. */
static double sum_of(struct model_total *total)
{
    const int64_t unit = INT64_C(1) << 40;
    const __int128 units = total->whole / unit, rest = total->whole % unit;

    add_part(total, (double)units * (double)unit);
    add_part(total, (double)rest);
    total->whole = 0;
    return total->endless ? INFINITY : rounded(total);
}

static void end_sum(struct model_total *total, struct text *out)
{
    const bool is_whole = total->part_count == 0 && !total->endless;

    if (is_whole && total->whole >= INT64_MIN && total->whole <= INT64_MAX)
        text_add_i64(out, (int64_t)total->whole);
    else
        add_double(out, sum_of(total));
}

void model_total_end(struct model_total *total, struct text *out)
{
    if (total->value == WATCH_COUNT)
        text_add_u64(out, total->count);
    else if (total->value == WATCH_SUM)
        end_sum(total, out);
    else if (total->count == 0)
        text_add(out, "null");
    else if (total->value == WATCH_AVG)
        add_double(out, sum_of(total) / (double)total->count);
    else
        text_add(out, total->extreme.at);
}
