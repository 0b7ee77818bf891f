#pragma once

#include "common/model/model_watch.h"

/*
 * model_watch_value - canonical texts of one field type compared and added up, for watchers and
 * queries. No number is rounded on the way in: integers are exact, of doubles those that are equal
 * as numbers are equal (1.10 and 1.1). Strings and booleans are ordered by code points, false
 * before true.
 */

/* Below 0, 0 or above 0. Neither text is "null". Pairs are equal if they name the same object, by
 * its own class or by a parent; unequal ones are ordered by their texts. */
int model_compare_values(const struct model *model, enum field_type type, const char *a,
                         const char *b);

/* An object as conditions see it. */
struct model_seen {
    const struct model_class *class_;
    const char *(*text_of)(const void *arg, const char *column); /* stored; NULL: never set */
    const void *arg;
};

/*
 * Do all conditions hold? What is null is equal to null alone, and neither less nor more than
 * anything. `args` may be NULL where no condition has a param.
 */
bool model_conditions_hold(const struct model *model, const struct model_condition *where,
                           size_t count, const struct model_args *args,
                           const struct model_seen *object);

/*
 * Which of two objects stands first, by the texts of their order terms, `count` each, NULL or
 * "null" where there is none? 0: the order does not say.
 */
int model_compare_ordered(const struct model *model, const struct model_order *order, size_t count,
                          const char *const *a, const char *const *b);

/*
 * A value made of those of many objects: WATCH_COUNT to WATCH_AVG. The order in which they are
 * added makes no difference to a single bit of it, unless some part of a sum is beyond a double.
 */
struct model_total {
    enum watch_value value;
    enum field_type type;
    size_t count;   /* of values that are not null; WATCH_COUNT: of objects */
    __int128 whole; /* the sum of those that are integers */
    double *parts;  /* those that are not, as a sum without rounding */
    size_t part_count, part_room;
    bool endless;        /* beyond a double */
    struct text extreme; /* WATCH_MIN, WATCH_MAX: the text so far */
};

void model_total_begin(struct model_total *total, const struct model_watcher *watcher);

/* `text` may be NULL. */
void model_total_add(struct model_total *total, const char *text);

/* Adds the JSON text of the value. A sum of integers beyond int64 is a double; what no double can
 * say is null. */
void model_total_end(struct model_total *total, struct text *out);
void model_total_deinit(struct model_total *total);
