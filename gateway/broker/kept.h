#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "gateway/broker/traffic.h"

/*
 * kept - the messages that the publishing thread may have to publish once more, in their order,
 * and which publish number stands for which of them.
 *
 * A message is waiting (the broker has to get it), sent (its outcome is awaited) or safe
 * (confirmed). It goes when it is safe and nobody waits for a reply any more.
 *
 * Threads:   belongs to the publishing thread.
 * Ownership: kept messages own their order; kept_drop() frees both.
 */

enum kept_state { KEPT_WAITING, KEPT_SENT, KEPT_SAFE };

struct kept_message {
    struct order *order; /* ORDER_PUBLISH */
    enum kept_state state;
    bool forgotten;   /* nobody waits for a reply */
    bool ever_sent;   /* the broker may have had it */
    uint64_t publish; /* number under which it was sent */
    TAILQ_ENTRY(kept_message) in_order;
    struct kept_message *next_in_bucket;
};

struct kept;

_must_check_ enum err kept_create(struct kept **out);
void kept_destroy(struct kept *k);

/* Adds a waiting message at the end. */
void kept_add_take(struct kept *k, struct order **order);

/* The oldest waiting message, or NULL. */
struct kept_message *kept_next_waiting(struct kept *k);

/* May one more be sent, with all the outcomes that are awaited? */
bool kept_may_send(const struct kept *k);

void kept_mark_sent(struct kept *k, struct kept_message *m, uint64_t publish);

/* The message that was sent under this number and whose outcome is awaited, or NULL. */
struct kept_message *kept_by_publish(const struct kept *k, uint64_t publish);

/* The broker has confirmed it; it is dropped if it is forgotten. */
void kept_mark_safe(struct kept *k, struct kept_message *m);

/* Nobody waits for the reply to request `number` any more. */
void kept_forget(struct kept *k, uint64_t number);

void kept_drop(struct kept *k, struct kept_message *m);

/* The link is gone, and with it all publish numbers. What was sent without a confirm waits again.
 */
void kept_link_lost(struct kept *k);

/* The gateway's queue was gone, and replies with it: what was safe waits again. */
void kept_replies_lost(struct kept *k);

/* The oldest; TAILQ_NEXT(m, in_order) leads to the next one. */
struct kept_message *kept_first(const struct kept *k);

size_t kept_waiting_count(const struct kept *k);
size_t kept_unconfirmed_count(const struct kept *k); /* waiting or sent */

DEFINE_CLEANUP(struct kept *, kept_destroy)
