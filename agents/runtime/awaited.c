#include "agents/runtime/awaited.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

void awaited_deinit(struct awaited_ring *ring)
{
    free(ring->at);
    memset(ring, 0, sizeof(*ring));
}

void awaited_reset(struct awaited_ring *ring)
{
    ring->oldest = 1;
    ring->newest = 0;
}

static struct awaited *slot(const struct awaited_ring *ring, uint64_t number)
{
    return &ring->at[number & (ring->room - 1)];
}

static void grow(struct awaited_ring *ring)
{
    struct awaited_ring grown = *ring;

    grown.room = ring->room ? ring->room * 2 : 1024;
    grown.at = calloc(grown.room, sizeof(*grown.at));
    if (!grown.at)
        err_out_of_memory();
    for (uint64_t n = ring->oldest; n <= ring->newest; n++)
        *slot(&grown, n) = *slot(ring, n);
    free(ring->at);
    *ring = grown;
}

void awaited_add(struct awaited_ring *ring, uint64_t number, void *item, size_t part)
{
    if (number - ring->oldest >= ring->room)
        grow(ring);
    ring->newest = number;
    *slot(ring, number) = (struct awaited){item, part};
}

struct awaited awaited_take(struct awaited_ring *ring, uint64_t number)
{
    struct awaited taken = *slot(ring, number);

    slot(ring, number)->item = NULL;
    while (ring->oldest <= ring->newest && !slot(ring, ring->oldest)->item)
        ring->oldest++;
    return taken;
}
