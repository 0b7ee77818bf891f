#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/thread/msgq.h"
#include "common/thread/wake.h"
#include "gateway/broker/traffic.h"

/*
 * bridge - the socket thread's side of the queues to the publishing and from the consuming thread.
 *
 * It owns the queues and the name of the gateway's own queue on the broker, which is fresh with
 * each start. It also keeps the publishing thread from publishing while no reply could come in.
 *
 * Threads: belongs to the socket thread, but for the queues, which meet the other threads.
 */

struct bridge;

/* At most `queue_length` items either way; `wake` wakes the socket thread when there are news. */
_must_check_ enum err bridge_create(size_t queue_length, msgq_wake_fn *wake, void *arg,
                                    struct bridge **out);
void bridge_destroy(struct bridge *b);

/* What the other two threads are given; borrowed. */
struct msgq *bridge_orders(struct bridge *b);
struct msgq *bridge_news(struct bridge *b);
struct wake *bridge_publisher_wake(struct bridge *b);
const char *bridge_queue_name(const struct bridge *b);

struct bridge_terms {
    uint64_t number;     /* of the open request; 0: no reply is awaited */
    int64_t deadline_ms; /* monotonic; 0: never */
    bool expires;        /* on the broker, too */
    bool tell_confirm;
    bool may_be_refused; /* where no reply is awaited: it may be lost */
};

/* Copies *fields and orders its publication. ERR_FULL: too many are waiting. */
_must_check_ enum err bridge_publish(struct bridge *b, const struct msg *fields,
                                     const struct bridge_terms *terms);

/* Nobody waits for this reply any more. Told to the publishing thread by the dozen, or at the next
 * bridge_flush(): nothing depends on it but memory. */
void bridge_forget(struct bridge *b, uint64_t number);
void bridge_flush(struct bridge *b);

/* The next news, owned by the caller (news_destroy()), or NULL. That of a link has been noted. */
struct news *bridge_next(struct bridge *b);

/* Both links are up. Any thread. */
bool bridge_is_up(const struct bridge *b);

/* For how long they have not both been up; 0 while they are. */
int64_t bridge_away_ms(const struct bridge *b, int64_t now_ms);

DEFINE_CLEANUP(struct bridge *, bridge_destroy)
