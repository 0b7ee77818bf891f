#include "agents/runtime/counts.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

struct count {
    struct count *following;
    char *queue;
    int64_t consumers;
    int64_t fresh_until_ms;
    struct line waiting;
};

static struct count *find(const struct counts *counts, const char *queue)
{
    struct count *count = counts->all;

    while (count && strcmp(count->queue, queue) != 0)
        count = count->following;
    return count;
}

static struct count *add(struct counts *counts, const char *queue)
{
    struct count *count = calloc(1, sizeof(*count));

    if (!count || !(count->queue = strdup(queue)))
        err_out_of_memory();
    count->following = counts->all;
    counts->all = count;
    return count;
}

void counts_deinit(struct counts *counts)
{
    struct count *following;

    for (struct count *count = counts->all; count; count = following) {
        following = count->following;
        line_deinit(&count->waiting);
        free(count->queue);
        free(count);
    }
    line_deinit(&counts->unasked);
    memset(counts, 0, sizeof(*counts));
}

bool counts_known(const struct counts *counts, const char *queue, int64_t now_ms,
                  int64_t *consumers)
{
    const struct count *count = find(counts, queue);

    if (!count || count->fresh_until_ms <= now_ms)
        return false;
    *consumers = count->consumers;
    return true;
}

void counts_wait(struct counts *counts, const char *queue, void *item)
{
    struct count *count = find(counts, queue);

    if (!count)
        count = add(counts, queue);
    if (!count->waiting.count)
        line_push(&counts->unasked, count);
    line_push(&count->waiting, item);
}

const char *counts_unasked(const struct counts *counts)
{
    const struct count *first = line_first(&counts->unasked);

    return first ? first->queue : NULL;
}

void counts_asked(struct counts *counts)
{
    line_pop(&counts->unasked);
}

struct line counts_answered(struct counts *counts, const char *queue, int64_t consumers,
                            int64_t fresh_until_ms)
{
    struct count *count = find(counts, queue);
    struct line waiting = {0};

    if (!count)
        return waiting;
    count->consumers = consumers;
    count->fresh_until_ms = fresh_until_ms;
    waiting = count->waiting;
    count->waiting = (struct line){0};
    return waiting;
}

void counts_reset(struct counts *counts)
{
    for (struct count *count = counts->all; count; count = count->following) {
        count->fresh_until_ms = 0;
        line_clear(&count->waiting);
    }
    line_clear(&counts->unasked);
}
