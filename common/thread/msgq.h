#pragma once

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * msgq - bounded first-in first-out queue that hands items from one thread to another.
 *
 * The only way for two threads of one process to meet; one queue per direction. At every moment
 * an item has exactly one owner: the pushing thread, the queue, or the popping thread.
 *
 * Threads:   every function but msgq_create() and msgq_destroy() may be called from any thread.
 * Ownership: the queue owns what is inside it; msgq_destroy() destroys what was never popped.
 */

struct msgq;

/* Wakes the popping thread's event loop. Runs on the pushing thread, without the queue's lock,
 * and only when the queue had been empty. */
typedef void msgq_wake_fn(void *arg);

/* Destroys one item. */
typedef void msgq_destroy_fn(void *item);

/*
 * Creates an empty queue of at most `capacity` items (1 or more). `wake` may be NULL; `arg` is
 * borrowed and must outlive the queue.
 * Returns ERR_OK and stores the queue, owned by the caller, in *out; or ERR_NOMEM.
 */
_must_check_ enum err msgq_create(size_t capacity, msgq_destroy_fn *destroy, msgq_wake_fn *wake,
                                  void *arg, struct msgq **out);

/* Destroys the queue. No other thread may use it any more. NULL is allowed. */
void msgq_destroy(struct msgq *q);

/*
 * Takes *item (a pointer to the item's pointer) and sets it to NULL on ERR_OK. On ERR_FULL or
 * ERR_CLOSED *item is untouched and still belongs to the caller, who decides whether to retry, to
 * drop, or to slow somebody down.
 */
_must_check_ enum err msgq_push_take(struct msgq *q, void *item);

/* Like msgq_push_take(), but not bounded by the capacity: for items that end something for which
 * an earlier item has already paid (a reply, a confirm). Fails with ERR_CLOSED only. */
_must_check_ enum err msgq_push_over_take(struct msgq *q, void *item);

/* Returns the oldest item, now owned by the caller, or NULL when empty. Never blocks. */
void *msgq_pop(struct msgq *q);

size_t msgq_depth(struct msgq *q);

/* From now on every push answers ERR_CLOSED; what is inside can still be popped. Idempotent. */
void msgq_close(struct msgq *q);
DEFINE_CLEANUP(struct msgq *, msgq_destroy)
