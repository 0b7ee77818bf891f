#include "common/thread/msgq.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_RING 64

struct msgq {
    pthread_mutex_t lock;
    void **ring; /* a power of two of slots, doubled when full */
    size_t room, head, depth;
    size_t capacity;
    bool closed;

    /* Never change. */
    msgq_destroy_fn *destroy;
    msgq_wake_fn *wake;
    void *arg;
};

enum err msgq_create(size_t capacity, msgq_destroy_fn *destroy, msgq_wake_fn *wake, void *arg,
                     struct msgq **out)
{
    struct msgq *q = calloc(1, sizeof(*q));

    if (!q)
        return ERR_NOMEM;
    pthread_mutex_init(&q->lock, NULL);
    q->capacity = capacity;
    q->destroy = destroy;
    q->wake = wake;
    q->arg = arg;
    *out = q;
    return ERR_OK;
}

void msgq_destroy(struct msgq *q)
{
    void *item;

    if (!q)
        return;
    while ((item = msgq_pop(q)))
        q->destroy(item);
    pthread_mutex_destroy(&q->lock);
    free(q->ring);
    free(q);
}

/* Twice the room, the oldest item first. */
static void grow(struct msgq *q)
{
    const size_t room = q->room > 0 ? q->room * 2 : SMALLEST_RING;
    const size_t until_end = q->room - q->head;
    void **ring = malloc(room * sizeof(*ring));

    if (!ring)
        err_out_of_memory();
    if (q->room > 0) {
        memcpy(ring, q->ring + q->head, until_end * sizeof(*ring));
        memcpy(ring + until_end, q->ring, q->head * sizeof(*ring));
    }
    free(q->ring);
    q->ring = ring;
    q->room = room;
    q->head = 0;
}

static void append(struct msgq *q, void *item)
{
    if (q->depth == q->room)
        grow(q);
    q->ring[(q->head + q->depth) & (q->room - 1)] = item;
    q->depth++;
}

static enum err push(struct msgq *q, void *item, size_t capacity)
{
    enum err e = ERR_OK;
    bool was_empty;
    void *taken;

    memcpy(&taken, item, sizeof(taken)); /* `item` points to a pointer of some type */

    pthread_mutex_lock(&q->lock);
    was_empty = q->depth == 0;
    if (q->closed)
        e = ERR_CLOSED;
    else if (q->depth >= capacity)
        e = ERR_FULL;
    else
        append(q, taken);
    pthread_mutex_unlock(&q->lock);

    if (e)
        return e;
    memset(item, 0, sizeof(taken));
    if (was_empty && q->wake)
        q->wake(q->arg);
    return ERR_OK;
}

enum err msgq_push_take(struct msgq *q, void *item)
{
    return push(q, item, q->capacity);
}

enum err msgq_push_over_take(struct msgq *q, void *item)
{
    return push(q, item, SIZE_MAX);
}

void *msgq_pop(struct msgq *q)
{
    void *item = NULL;

    pthread_mutex_lock(&q->lock);
    if (q->depth > 0) {
        item = q->ring[q->head];
        q->head = (q->head + 1) & (q->room - 1);
        q->depth--;
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

size_t msgq_depth(struct msgq *q)
{
    size_t depth;

    pthread_mutex_lock(&q->lock);
    depth = q->depth;
    pthread_mutex_unlock(&q->lock);
    return depth;
}

void msgq_close(struct msgq *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_mutex_unlock(&q->lock);
}
