#include "agents/runtime/acks.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

void acks_deinit(struct acks *acks)
{
    free(acks->settled);
    memset(acks, 0, sizeof(*acks));
}

void acks_reset(struct acks *acks)
{
    acks->acked = acks->last = 0;
}

static void grow(struct acks *acks)
{
    size_t room = acks->room ? acks->room * 2 : 1024;
    bool *settled = calloc(room, sizeof(*settled));

    if (!settled)
        err_out_of_memory();
    for (uint64_t tag = acks->acked + 1; tag < acks->last; tag++)
        settled[tag & (room - 1)] = acks->settled[tag & (acks->room - 1)];
    free(acks->settled);
    acks->settled = settled;
    acks->room = room;
}

void acks_begin(struct acks *acks, uint64_t tag)
{
    acks->last = tag;
    if (tag - acks->acked >= acks->room)
        grow(acks);
    acks->settled[tag & (acks->room - 1)] = false;
}

void acks_settle(struct acks *acks, uint64_t tag)
{
    acks->settled[tag & (acks->room - 1)] = true;
}

uint64_t acks_take(struct acks *acks)
{
    uint64_t before = acks->acked;

    while (acks->acked < acks->last && acks->settled[(acks->acked + 1) & (acks->room - 1)])
        acks->acked++;
    return acks->acked == before ? 0 : acks->acked;
}
