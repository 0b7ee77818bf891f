#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/amqp/msg.h"

/*
 * tickets - what the host's link knows of each call, from its delivery until the broker has its
 * answer. There are as many as threads, more or less.
 */

struct lane;

struct ticket {
    uint64_t number; /* the task's */
    uint64_t tag;    /* of the delivery; 0: void, its connection was lost */
    struct lane *lane;
    int64_t give_up_ms; /* of clock_mono_ms() */
    char *call;         /* its id; NULL: none */
    struct msg *reply;  /* once it was answered */
    bool published;     /* the reply, and the broker has not told of it */
    struct ticket *next;
};

struct tickets {
    struct ticket *first;
    uint64_t number; /* of the last one */
};

/* A new one for a delivery. Fill in lane and give_up_ms. */
struct ticket *tickets_add(struct tickets *tickets, const struct msg *m, uint64_t tag);
void tickets_remove(struct tickets *tickets, struct ticket *ticket);

struct ticket *tickets_by_number(const struct tickets *tickets, uint64_t number);

/* One whose delivery is void, and which has come again with *m; NULL: none. */
struct ticket *tickets_by_call(const struct tickets *tickets, const struct msg *m);
