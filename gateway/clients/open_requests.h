#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

struct client;
struct msg;
struct operation;

/*
 * open_requests - the requests that wait for their reply: found by number, by client, by deadline.
 *
 * Every request has the time of its pace, so the oldest of a pace is always its next to be overdue,
 * and looking for overdue ones costs nothing when there are none. Each client has an account that
 * bounds how many it may have open, and how many bytes.
 *
 * Threads:   everything belongs to the socket thread.
 * Ownership: the table owns the requests; open_requests_end() frees one.
 */

/* What a request is for: decides what its reply or its failure leads to (answers.c). */
enum purpose {
    /* A client's. */
    PURPOSE_CLIENT,  /* the reply goes to it */
    PURPOSE_LOGIN,   /* the reply may log it in */
    PURPOSE_LOGOUT,  /* its empty reply starts the last step of a logout */
    PURPOSE_RECEIPT, /* a push receipt: published and answered with those of others */

    /* The gateway's own, on behalf of a client: never refused by the limits. */
    PURPOSE_BIND,  /* the ConnectRequest after a login, the ReconnectRequest of a return */
    PURPOSE_LEAVE, /* disconnectAuth; its reply ends the socket */

    /* The gateway's own, of no one client (`client` is NULL). */
    PURPOSE_ALIVE,
    PURPOSE_ANNOUNCE,
    PURPOSE_RECEIPTS, /* the receipts of its `members` */
    PURPOSE_COUNT
};

/* Which time a request has: that of most, or of those whose operation is slow. */
enum open_pace { OPEN_PROMPT, OPEN_SLOW, OPEN_PACE_COUNT };

struct open_request {
    uint64_t number;
    struct client *client; /* borrowed: a client ends its requests before it goes; NULL: none */
    const struct operation *operation;
    enum purpose purpose;
    bool wants_ack;   /* and has not had it */
    bool refused;     /* of a PURPOSE_RECEIPT: its client is unknown to the agents */
    struct msg *held; /* waits to be published; owned; else NULL */
    size_t bytes;     /* of the body */
    int64_t started_us;
    int64_t deadline_ms;
    uint64_t *members; /* of PURPOSE_RECEIPTS: numbers of the requests that the reply answers */
    size_t member_count;

    /* Of the table. */
    enum open_pace pace;
    TAILQ_ENTRY(open_request) by_deadline;
    TAILQ_ENTRY(open_request) by_client;
    struct open_request *next_in_bucket;
    bool has_message_id;
    char message_id[]; /* of the client; open_request_message_id() */
};

TAILQ_HEAD(open_request_list, open_request);

/* What one client has open, the oldest first. */
struct open_account {
    struct open_request_list list;
    size_t count, bytes;
};

struct open_limits {
    size_t count, bytes; /* of one account */
    int64_t timeout_ms[OPEN_PACE_COUNT];
};

struct open_requests;

_must_check_ enum err open_requests_create(const struct open_limits *limits,
                                           struct open_requests **out);
void open_requests_destroy(struct open_requests *t);

void open_account_init(struct open_account *a);

/*
 * Opens a request with the next number: client, operation, purpose, wants_ack and bytes are taken
 * from *fields, the deadline follows from the operation and now_us (monotonic). `message_id` may be
 * NULL and is copied. ERR_FULL: the account is full, except for what the gateway itself asks. *out
 * is borrowed.
 */
_must_check_ enum err open_requests_add(struct open_requests *t, struct open_account *account,
                                        const struct open_request *fields, const char *message_id,
                                        int64_t now_us, struct open_request **out);

/* Takes a request out of the table and its account, and frees it. */
void open_requests_end(struct open_requests *t, struct open_account *account,
                       struct open_request *r);

/* By number, or NULL. */
struct open_request *open_requests_find(const struct open_requests *t, uint64_t number);

/* A request whose deadline has passed, the oldest of its pace, or NULL. */
struct open_request *open_requests_overdue(const struct open_requests *t, int64_t now_ms);

size_t open_requests_count(const struct open_requests *t);

/* The client's messageId, or NULL. */
const char *open_request_message_id(const struct open_request *r);

DEFINE_CLEANUP(struct open_requests *, open_requests_destroy)
