#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * operations - the one table that says all there is to know about each operation.
 *
 * Read by the gateway (who may send it, where it goes, does it have effects), by the agents (what
 * to consume), by the tests, and by `activestack-ctl operations`, which prints it. The queue of
 * an operation has its name.
 */

enum operation_agent {
    AGENT_NONE, /* nobody serves it: answered with -106 */
    AGENT_SYNC,
    AGENT_AUTH
};

enum origin {
    ORIGIN_CLIENT,   /* clients may send it */
    ORIGIN_GATEWAY,  /* only the gateway sends it */
    ORIGIN_OPERATOR, /* only activestack-ctl sends it: whoever may publish on the vhost */
    ORIGIN_WORKER,   /* only workers of processes send it, and the broker: who may publish */
    ORIGIN_CONTENT   /* only clients of the content protocol may send it */
};

struct operation {
    const char *name;           /* event, queue, AMQP type; the table's key, in strcmp order */
    const char *served_by_name; /* for an alias: the operation that it stands for; else NULL */
    const char *request_class;  /* full class name; of the content protocol: the frame's type */
    const char *response_class; /* likewise; NULL: no response goes to the client */
    enum origin origin;
    bool needs_login;
    bool has_effects; /* persistent on the broker, never expires; its result is kept */
    bool is_receipt;  /* of pushes: goes to the agents together with those of other clients */
    bool is_slow;     /* a process may have to end first: gateway.process_timeout_ms holds for it */
    bool is_login;    /* a UserToken as its result logs the client in (spec 1.7) */
    enum operation_agent agent;
    int content_class; /* in the error codes of the content protocol; 0: not part of it */
};

#define SYNC_CLASS(name) "com.percero.agents.sync.vo." name
#define AUTH_CLASS(name) "com.percero.agents.auth.vo." name

extern const struct operation operations[];
extern const size_t operation_count;

/* By event name (aliases included), or NULL. `size` bytes, not NUL-terminated. */
const struct operation *operation_by_name(const char *name, size_t size);

/* The operation that a bare object of this class is: the first in the table that clients may send
 * under it (so `authenticate`, not `register`); never an alias: a class that only an alias has is
 * that of the operation which the alias stands for. NULL: no such class. */
const struct operation *operation_by_class(const char *request_class, size_t size);
