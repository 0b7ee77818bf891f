#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * awaited - what each publish number stands for, until the broker has told what became of it.
 *
 * Numbers count 1, 2, 3... from each start of the link and are told in no order. Borrows the items.
 * A zeroed struct is ready after awaited_reset().
 */

struct awaited {
    void *item; /* NULL: nobody waits for this number (any more) */
    size_t part;
};

struct awaited_ring {
    struct awaited *at;
    size_t room; /* a power of two */
    uint64_t oldest, newest;
};

void awaited_deinit(struct awaited_ring *ring);

/* The link has started anew: all numbers are void. */
void awaited_reset(struct awaited_ring *ring);

/* Numbers must come in order. */
void awaited_add(struct awaited_ring *ring, uint64_t number, void *item, size_t part);

/* Takes out what the number stands for. */
struct awaited awaited_take(struct awaited_ring *ring, uint64_t number);
