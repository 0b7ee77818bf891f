#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/json/json_diff_private.h"
#include "common/json/json_members.h"
#include "common/json/json_pointer.h"

/*
 * Arrays: which items are the same ones? First, equal identities are paired; of the pairs, a
 * longest series is kept whose order did not change; then what is left between two kept items, on
 * both sides, is paired as far as it goes, for it was probably replaced.
 */

#define NONE SIZE_MAX

struct item {
    struct json_span value, identity;
    size_t index; /* in its array */
    size_t match; /* the index of its counterpart in the other array, or NONE */
};

struct items {
    struct item *at;
    size_t count;
};

/* Never NULL, also for nothing. */
static void *allocate(size_t count, size_t size)
{
    void *at = calloc(count + 1, size);

    if (!at)
        err_out_of_memory();
    return at;
}

static void items_init(struct items *items, struct json_span array)
{
    struct json_walk w = json_walk(array);

    *items = (struct items){.at = allocate(json_count(array), sizeof(*items->at))};
    while (json_next(&w)) {
        const struct json_span key = json_member(w.value, "key", NULL);

        items->at[items->count] = (struct item){.value = w.value,
                                                .identity = key.at ? key : w.value,
                                                .index = items->count,
                                                .match = NONE};
        items->count++;
    }
}

/* ---- Pairing by identity ---- */

static int compare_identities(const struct item *a, const struct item *b)
{
    if (a->identity.size != b->identity.size)
        return a->identity.size < b->identity.size ? -1 : 1;
    return memcmp(a->identity.at, b->identity.at, a->identity.size);
}

static int compare_items(const void *a, const void *b)
{
    const struct item *const left = *(struct item *const *)a, *const right =
                                                                  *(struct item *const *)b;
    const int order = compare_identities(left, right);

    return order ? order : (left->index > right->index) - (left->index < right->index);
}

/* The items in the order of their identities; the caller frees. */
static struct item **sorted(const struct items *items)
{
    struct item **list = allocate(items->count, sizeof(*list));

    for (size_t i = 0; i < items->count; i++)
        list[i] = &items->at[i];
    qsort(list, items->count, sizeof(*list), compare_items);
    return list;
}

/* The first of one identity with the first, the second with the second. */
static void pair_by_identity(const struct items *old, const struct items *new)
{
    struct item **left = sorted(old), **right = sorted(new);

    for (size_t i = 0, j = 0; i < old->count && j < new->count;) {
        const int order = compare_identities(left[i], right[j]);

        if (order == 0)
            right[j]->match = left[i]->index;
        i += order <= 0;
        j += order >= 0;
    }
    free(left);
    free(right);
}

/* ---- Keeping what is still in order ---- */

/* Where `match` belongs in the ascending list of the items' matches: the first that is not smaller.
 */
static size_t find_length(const struct items *new, const size_t *ends, size_t count, size_t match)
{
    size_t low = 0;

    while (low < count) {
        const size_t middle = low + (count - low) / 2;

        if (new->at[ends[middle]].match < match)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/* The longest ascending series of matches: ends[n] is where the best series of n + 1 items ends,
 * and before[i] what stands in front of item i in its series. All other items lose their match. */
static void keep_longest_series(const struct items *new)
{
    size_t *ends = allocate(new->count, sizeof(*ends));
    size_t *before = allocate(new->count, sizeof(*before));
    size_t longest = 0, keep;

    for (size_t i = 0; i < new->count; i++) {
        size_t length;

        if (new->at[i].match == NONE)
            continue;
        length = find_length(new, ends, longest, new->at[i].match);
        before[i] = length > 0 ? ends[length - 1] : NONE;
        ends[length] = i;
        if (length == longest)
            longest++;
    }
    keep = longest > 0 ? ends[longest - 1] : NONE;
    for (size_t i = new->count; i > 0; i--) {
        if (i - 1 == keep)
            keep = before[keep];
        else
            new->at[i - 1].match = NONE;
    }
    free(ends);
    free(before);
}

/* Between kept items, the next old one that is left is taken to have become the next new one. */
static void pair_leftovers(const struct items *old, const struct items *new)
{
    size_t next = 0; /* in the old array */
    size_t kept = 0; /* in the new array: the next item with a match */

    for (size_t i = 0; i < new->count; i++) {
        size_t end;

        for (kept = kept > i ? kept : i; kept < new->count &&new->at[kept].match == NONE;)
            kept++;
        end = kept < new->count ? new->at[kept].match : old->count;
        if (new->at[i].match == NONE && next < end)
            new->at[i].match = next++;
        else if (new->at[i].match != NONE)
            next = new->at[i].match + 1;
    }
}

static void match_items(const struct items *old, const struct items *new)
{
    pair_by_identity(old, new);
    keep_longest_series(new);
    pair_leftovers(old, new);
    for (size_t i = 0; i < new->count; i++)
        if (new->at[i].match != NONE)
            old->at[new->at[i].match].match = i;
}

/* ---- Writing ---- */

static bool at_index(struct json_diff *d, size_t index, const struct item *old,
                     const struct item *new)
{
    const size_t above = d->path.size;
    bool fits;

    json_pointer_add_index(&d->path, index);
    if (old && new)
        fits = json_diff_value(d, old->value, new->value);
    else if (new)
        fits = json_diff_operation(d, "add", new->value);
    else
        fits = json_diff_operation(d, "remove", (struct json_span){0});
    text_cut(&d->path, above);
    return fits;
}

/* From the end, so that indexes stay what they are; then in order, each at its final index. */
static bool write_items(struct json_diff *d, const struct items *old, const struct items *new)
{
    bool fits = true;

    for (size_t i = old->count; i > 0 && fits; i--)
        if (old->at[i - 1].match == NONE)
            fits = at_index(d, i - 1, &old->at[i - 1], NULL);
    for (size_t i = 0; i < new->count &&fits; i++)
        if (new->at[i].match == NONE)
            fits = at_index(d, i, NULL, &new->at[i]);
    for (size_t i = 0; i < new->count &&fits; i++)
        if (new->at[i].match != NONE)
            fits = at_index(d, i, &old->at[new->at[i].match], &new->at[i]);
    return fits;
}

bool json_diff_arrays(struct json_diff *d, struct json_span before, struct json_span after)
{
    struct items old, new;
    bool fits;

    items_init(&old, before);
    items_init(&new, after);
    match_items(&old, &new);
    fits = write_items(d, &old, &new);
    free(old.at);
    free(new.at);
    return fits;
}
