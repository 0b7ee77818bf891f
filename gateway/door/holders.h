#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "common/base/address.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "gateway/door/rate.h"

/*
 * holders - what each address (address_holder()) has open, and has done of late.
 *
 * A holder who has nothing open is kept until what they did is too long ago to count: somebody who
 * comes and goes is still the same.
 *
 * Threads: belongs to the socket thread.
 */

struct holder {
    struct address address;
    size_t sockets;         /* open TCP connections that come straight from there */
    size_t clients;         /* open WebSockets */
    struct bucket arrivals; /* of sockets */
    struct bucket upgrades; /* to WebSockets */
    struct holder *next;    /* of holders.c, as all that follows */
    TAILQ_ENTRY(holder) by_idle;
    int64_t idle_since_ms; /* 0: something is open */
};

struct holders;

/* `most` is how many of them there will usually be at most. */
_must_check_ enum err holders_create(size_t most, struct holders **out);
void holders_destroy(struct holders *t);

/* Whoever holds this address, found or made: good until holders_forget(), or while something is
 * open. */
struct holder *holders_find(struct holders *t, const struct address *a, int64_t now_ms);

/* To be called when something of theirs was opened or closed. */
void holders_changed(struct holders *t, struct holder *h, int64_t now_ms);

/* Forgets who has had nothing open, and was not asked for, for this long. */
void holders_forget(struct holders *t, int64_t idle_ms, int64_t now_ms);

size_t holders_count(const struct holders *t);

DEFINE_CLEANUP(struct holders *, holders_destroy)
