#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/protocol/response.h"

/*
 * receipts - what clients acknowledge: pushes (updatesReceived and deletesReceived, spec 3.6),
 * replies (the special message ack), and blocks of changes (content protocol, "changed").
 *
 * Which send a push receipt proves is looked up in what the client's socket was sent (owed.h);
 * what was never sent is left out. The outcome is gathered with that of other clients and published
 * when all sockets that had something to say have been heard, one message for each queue, or
 * several where they would grow too large:
 *
 *   updatesReceived {"v":1,"receipts":[{"client":"<id>","pairs":[["<class>:<id>",<number of the
 *   deletesReceived                    send>],...]},...]}     -> {"v":1,"unknown":["<id>",...]}
 *                   (for a watched value its item in place of the object)
 *   repliesReceived {"v":1,"receipts":[{"client":"<id>","ids":["<messageId>",...]},...]}
 *   changedReceived {"v":1,"receipts":[["<client id>",<number of the block>],...]}
 *
 * A push receipt is an open request of its client, so that its limits and its deadline hold; one
 * reply answers all that were published together. Nothing depends on a receipt that is lost: what
 * it was for is told again, and acknowledged again.
 *
 * Threads: belongs to the socket thread.
 */

struct client;
struct frame;
struct gateway;
struct msg;
struct open_request;
struct operation;

/* One queue's next message. */
struct receipts_batch {
    const struct operation *operation;
    struct text body;    /* without its end; empty: nothing has been gathered */
    struct text members; /* numbers of the open requests that its reply answers, as uint64_t */
    bool wants_ack;      /* one of them does */
};

enum receipts_queue {
    RECEIPTS_UPDATES,
    RECEIPTS_DELETES,
    RECEIPTS_REPLIES,
    RECEIPTS_CHANGED,
    RECEIPTS_QUEUE_COUNT
};

struct receipts {
    struct receipts_batch batches[RECEIPTS_QUEUE_COUNT];
    struct text ref; /* what is just being looked up */
};

void receipts_init(struct receipts *r);
void receipts_deinit(struct receipts *r);

/* A push receipt, from a client that is logged in. -115: its pairs are not as they must be. */
void receipts_take(struct gateway *g, struct client *c, const struct frame *f);

/* The special message ack. One that names no messageId is ignored and counted. */
void receipts_take_ack(struct gateway *g, struct client *c, struct json_span content);

/* A client's answer to the block with this number. What is none (0), or comes from one that is not
 * logged in, is ignored and counted. */
void receipts_take_changed(struct gateway *g, struct client *c, int64_t number);

/* Has anything been gathered? Then receipts_flush() publishes it. */
bool receipts_wait(const struct receipts *r);
void receipts_flush(struct gateway *g);

/* The reply to a message, its failure, and that it is safe on the broker. */
void receipts_answered(struct gateway *g, struct open_request *batch, const struct msg *m);
void receipts_failed(struct gateway *g, struct open_request *batch, enum response_code code,
                     const char *desc);
void receipts_safe(struct gateway *g, struct open_request *batch);
