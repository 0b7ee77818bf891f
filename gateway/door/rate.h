#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * rate - how often something may happen: `per_s` times a second in the long run, and `burst` times
 * at once after a pause.
 *
 * A zeroed bucket is full: nothing has happened yet. The rate of a bucket may change: it is never
 * emptier than after a burst of the new one.
 */

struct rate {
    int64_t per_s; /* 0: as often as one likes */
    int64_t burst; /* 1 or more */
};

struct bucket {
    int64_t spent; /* thousandths of what may happen */
    int64_t at_ms; /* monotonic; when it was that much */
};

/* Counts one more, now; false if that would be too many: then it does not count. */
bool bucket_take(struct bucket *b, const struct rate *r, int64_t now_ms);
