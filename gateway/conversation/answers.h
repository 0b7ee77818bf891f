#pragma once

#include <stdint.h>

#include "gateway/broker/traffic.h"
#include "gateway/gateway.h"

/*
 * answers - what comes back to requests: replies, outcomes of publishing, or nothing in time.
 *
 * Every request is ended here, with exactly one answer.
 */

/* A message of type "reply". */
void answers_reply(struct gateway *g, const struct msg *m);

/* The same, in a format that is not read here (see format): its request fails. */
void answers_unreadable(struct gateway *g, const struct msg *m);

/* NEWS_OUTCOME and NEWS_UNSENT. */
void answers_outcome(struct gateway *g, const struct news *n);
void answers_unsent(struct gateway *g, const struct news *n);

/* Every few moments: answers the requests whose deadline has passed. */
void answers_tick(struct gateway *g, int64_t now_ms);
