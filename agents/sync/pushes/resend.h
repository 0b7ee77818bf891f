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
    const struct redis_reply *values;  /* (watched value, version, text, has it) */
};

/* As pushes: the updates, the deletes, then each value; any may be empty. */
struct resend_pushes {
    struct push *at;
    size_t count;
};
void resend_read(const struct work *work, const struct resend *what, struct resend_pushes *out);
void resend_pushes_deinit(struct resend_pushes *pushes);

/* Adds to work's messages the pushes that are not empty. */
void resend_send(struct work *work, const struct resend_pushes *pushes, const struct push_to *to);

/* Answers the open requests again. */
void resend_requests(struct work *work, const struct resend *what, const struct push_to *to);

/* Builds in work->call, whose reply is not needed any more, the look for what was overtaken. */
void resend_begin_look(struct work *work, const struct resend *what, const char *session);
