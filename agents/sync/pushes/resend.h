#pragma once

#include "agents/runtime/work.h"
#include "agents/sync/pushes/push.h"

/*
 * resend - telling a session again, or at last, what it must hear of: the lists that resend.lua
 * makes, as pushes and as requests to be answered again.
 */

/* What a script's reply holds of them, borrowed from it. */
struct resend {
    const struct redis_reply *updates; /* (ref, version, fields) */
    const struct redis_reply *deletes; /* (ref, version) */
    const struct redis_reply *open;    /* (messageId, request) */
    int64_t number;                    /* of the send */
};

/* Two pushes: the updates, then the deletes; either may be empty. */
#define RESEND_PUSHES 2
void resend_read(const struct work *work, const struct resend *what,
                 struct push pushes[RESEND_PUSHES]);

/* Adds to work's messages the pushes that are not empty. */
void resend_send(struct work *work, const struct push pushes[RESEND_PUSHES],
                 const struct push_to *to);

/* Answers the open requests again. */
void resend_requests(struct work *work, const struct resend *what, const struct push_to *to);

/* Builds in work->call, whose reply is not needed any more, the look for what was overtaken. */
void resend_begin_look(struct work *work, const struct resend *what, const char *session);
