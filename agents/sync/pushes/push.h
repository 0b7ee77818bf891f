#pragma once

#include <stdint.h>

#include "agents/runtime/work.h"
#include "agents/sync/stored.h"

/*
 * push - what gateways are asked to tell their clients: one message for each gateway that holds a
 * recipient, with the body once and the recipients named beside it (design section 6).
 *
 *     {"v":1,"groups":[{"to":["<client id>",...],"kind":"u","of":[["<class>:<id>",<number>],...],
 *                       "body":{...,"clientId":null,...}}]}
 *
 * The gateway writes each clientId, and remembers `of` what its client was told and by which send
 * (mark.lua), so that it knows what a receipt is for.
 *
 *     struct push push = {0};
 *     push_begin(&push, PUSH_UPDATE, number);
 *     push_add_update(&push, ref, fields);
 *     push_end(&push, NULL);
 *     push_send(work, &push, recipients, count); // or an array of pushes, of which each gets one
 *     push_deinit(&push);
 */

enum push_kind {
    PUSH_UPDATE = 'u',
    PUSH_DELETE = 'd',
    PUSH_VALUE = 'w', /* watchers/watched.h */
    PUSH_BLOCK = 'b'  /* content/notify.h */
};

struct push {
    enum push_kind kind;
    int64_t number; /* of the send */
    struct text body, of;
    size_t count; /* objects */
};

void push_begin(struct push *push, enum push_kind kind, int64_t number);
void push_add_update(struct push *push, const struct stored_ref *ref,
                     const struct redis_reply *fields);
void push_add_delete(struct push *push, const struct stored_ref *ref);

/* `updated_fields` is a JSON array; NULL: [], that is, anything may have changed. */
void push_end(struct push *push, const struct text *updated_fields);
void push_deinit(struct push *push);

/* One recipient, borrowed. */
struct push_to {
    const char *client, *gateway;
    size_t push; /* which of the pushes is theirs */
};

/* Says that this push tells of an item, for the gateway. Those above do so themselves. */
void push_add_item(struct push *push, const char *item);

/* Adds to work's messages one for each gateway among the recipients. */
void push_send(struct work *work, const struct push *pushes, const struct push_to *to,
               size_t count);

/* Adds the body of a message that holds these pushes for one client. Empty ones are left out. */
void push_add_body(struct text *out, const struct push *pushes, size_t count, const char *client);
