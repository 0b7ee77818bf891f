#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agents/runtime/line.h"

/*
 * counts - how many consumers queues have, as far as a worker knows: who waits for which number,
 * and numbers that are still fresh. A queue that many wait for is asked about once.
 *
 * Its memory grows with the queues that were ever asked about: those of declared processes.
 *
 * Ownership: names are copied, items are borrowed. A zeroed struct is ready. Times are
 * clock_mono_ms().
 */

struct counts {
    struct count *all;
    struct line unasked; /* what somebody waits for, and nobody has asked yet */
};

void counts_deinit(struct counts *counts);

/* The number, if it is fresh. */
bool counts_known(const struct counts *counts, const char *queue, int64_t now_ms,
                  int64_t *consumers);

/* `item` waits for the next answer about `queue`. */
void counts_wait(struct counts *counts, const char *queue, void *item);

/* The name that is to be asked about next; NULL: none. */
const char *counts_unasked(const struct counts *counts);

/* That was asked. */
void counts_asked(struct counts *counts);

/* The answer, which is fresh until then. Returns those who have waited for it; the caller's. */
struct line counts_answered(struct counts *counts, const char *queue, int64_t consumers,
                            int64_t fresh_until_ms);

/* The link to the broker is lost: nobody waits any more, nothing is fresh. */
void counts_reset(struct counts *counts);
