#include "gateway/clients/sends.h"

#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/secret.h"

#define SMALLEST   8   /* slots; a power of two */
#define KIND_BIT   1UL /* of a key */
#define TAKEN_BIT  2UL /* of a key: none is 0, which is a free slot */
#define INDEX_FROM 2   /* the bits above are as good as random */

/* One object and kind: the sends with the number that came last, and those before them, all taken
 * for the lowest number of any. */
struct slot {
    uint64_t key; /* 0: free */
    int64_t before_number, last_number;
    uint32_t before, last; /* how many of each */
};

/* Open addressing with linear probing; what is taken out leaves no gap in its row. */
struct sends {
    size_t room, count; /* slots: all, and those that are not free */
    struct slot slots[];
};

uint64_t sends_key(enum sends_kind kind, const char *ref, size_t size)
{
    return (secret_table_hash(ref, size) & ~(KIND_BIT | TAKEN_BIT)) | TAKEN_BIT |
           (kind == SENDS_DELETE ? KIND_BIT : 0);
}

static size_t home_of(const struct sends *s, uint64_t key)
{
    return (key >> INDEX_FROM) & (s->room - 1);
}

static size_t next_of(const struct sends *s, size_t i)
{
    return (i + 1) & (s->room - 1);
}

/* Where the key's slot is, or the free one where it belongs. */
static size_t place_of(const struct sends *s, uint64_t key)
{
    size_t i = home_of(s, key);

    while (s->slots[i].key && s->slots[i].key != key)
        i = next_of(s, i);
    return i;
}

static struct slot *look(struct sends *s, uint64_t key)
{
    return &s->slots[place_of(s, key)];
}

static struct sends *create(size_t room)
{
    struct sends *s = calloc(1, sizeof(*s) + room * sizeof(s->slots[0]));

    if (!s)
        err_out_of_memory();
    s->room = room;
    return s;
}

static void resize(struct sends **s, size_t room)
{
    struct sends *old = *s;

    *s = create(room);
    (*s)->count = old->count;
    for (size_t i = 0; i < old->room; i++)
        if (old->slots[i].key)
            *look(*s, old->slots[i].key) = old->slots[i];
    free(old);
}

/* What lies behind a slot that becomes free moves up, as far as its home allows. */
static void take_out(struct sends *s, struct slot *slot)
{
    size_t gap = (size_t)(slot - s->slots);

    for (size_t i = next_of(s, gap); s->slots[i].key; i = next_of(s, i)) {
        const size_t from_home = (i - home_of(s, s->slots[i].key)) & (s->room - 1);
        const size_t from_gap = (i - gap) & (s->room - 1);

        if (from_home >= from_gap) {
            s->slots[gap] = s->slots[i];
            gap = i;
        }
    }
    s->slots[gap] = (struct slot){0};
    s->count--;
}

/* Everything so far was sent before that with this number. */
static void push_back(struct slot *slot, int64_t number)
{
    if (slot->last > 0 && (slot->before == 0 || slot->last_number < slot->before_number))
        slot->before_number = slot->last_number;
    slot->before += slot->last;
    slot->last = 0;
    if (number < slot->before_number)
        slot->before_number = number;
}

static void overtake_other_kind(struct sends *s, uint64_t key, int64_t number)
{
    struct slot *other = look(s, key ^ KIND_BIT);

    if (other->key)
        push_back(other, number);
}

void sends_add(struct sends **s, uint64_t key, int64_t number)
{
    struct slot *slot;

    if (!*s)
        *s = create(SMALLEST);
    else if ((*s)->count >= (*s)->room / 4 * 3)
        resize(s, (*s)->room * 2);
    overtake_other_kind(*s, key, number);
    slot = look(*s, key);
    if (!slot->key) {
        *slot = (struct slot){.key = key};
        (*s)->count++;
    }
    if (slot->last_number != number)
        push_back(slot, number);
    slot->last_number = number;
    slot->last++;
}

bool sends_take(struct sends **s, uint64_t key, int64_t *number)
{
    struct slot *slot = *s ? look(*s, key) : NULL;

    if (!slot || !slot->key)
        return false;
    *number = slot->before > 0 ? slot->before_number : slot->last_number;
    if (slot->before > 0)
        slot->before--;
    else
        slot->last--;
    if (slot->before + slot->last > 0)
        return true;
    take_out(*s, slot);
    if ((*s)->count == 0) {
        free(*s);
        *s = NULL;
    } else if ((*s)->room > SMALLEST && (*s)->count < (*s)->room / 8) {
        resize(s, (*s)->room / 2);
    }
    return true;
}

size_t sends_unanswered(const struct sends *s, uint64_t key)
{
    const struct slot *slot = s ? &s->slots[place_of(s, key)] : NULL;

    return slot ? (size_t)slot->before + slot->last : 0;
}

size_t sends_count(const struct sends *s)
{
    return s ? s->count : 0;
}

void sends_destroy(struct sends *s)
{
    free(s);
}
