#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * acks - which deliveries are settled: works end in any order, but one acknowledgement with
 * `multiple` covers everything up to a tag, so it waits for the oldest.
 *
 * Delivery tags count 1, 2, 3... from each start of the link. A zeroed struct is ready.
 */

struct acks {
    bool *settled;  /* ring by tag */
    size_t room;    /* a power of two */
    uint64_t acked; /* everything up to this tag has been acknowledged */
    uint64_t last;  /* the newest tag */
};

void acks_deinit(struct acks *acks);

/* The link has started anew: all tags are void. */
void acks_reset(struct acks *acks);

/* A delivery has come. Tags must come in order. */
void acks_begin(struct acks *acks, uint64_t tag);

/* It needs nothing more. */
void acks_settle(struct acks *acks, uint64_t tag);

/* The tag up to which to acknowledge now, or 0: nothing new. */
uint64_t acks_take(struct acks *acks);
