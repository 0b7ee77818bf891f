#pragma once

#include <stdbool.h>

#include "agents/runtime/request.h"
#include "common/process/metrics.h"

/*
 * metrics - what the runtime of every agent counts, all workers together.
 *
 * A request is counted when it is done with: answered, answered with an error of the protocol, or
 * dropped with the link to the broker, in which case it comes again. Requests that repeat an
 * earlier one within another (work_again) are part of it.
 *
 * Threads: all functions may be called from any.
 */

struct agent_definition;

enum figure {
    FIGURE_WORKERS,
    FIGURE_BROKER_UP, /* workers of which it holds */
    FIGURE_REDIS_UP,
    FIGURE_ANSWERED, /* requests, of each operation */
    FIGURE_REFUSED,
    FIGURE_DROPPED,
    FIGURE_REDELIVERED, /* of each operation */
    FIGURE_OVERSIZED,
    FIGURE_FORMAT_UNKNOWN, /* requests, and jobs each time that they are due */
    FIGURE_LETTERS,
    FIGURE_QUEUE_SECONDS, /* of each operation */
    FIGURE_AGENT_SECONDS, /* of each operation */
    FIGURE_REDIS_SECONDS,
    FIGURE_REDIS_CALLS,
    FIGURE_REDIS_ERRORS,
    FIGURE_MESSAGES,
    FIGURE_MESSAGES_RETURNED,
    FIGURE_MESSAGES_REFUSED,
    FIGURE_COUNT
};

extern const struct metrics_table agent_metrics;

/* With the operations that the agent serves. */
struct metrics *agent_metrics_create(const struct agent_definition *definition);

/* A request has come from the broker. */
void agent_metrics_taken(struct metrics *m, const struct request *request);

/* It is done with, `us` after it came. */
void agent_metrics_ended(struct metrics *m, const struct request *request, enum figure how,
                         int64_t us);

/* A delivery from this queue was refused, since it was too large. */
void agent_metrics_oversized(struct metrics *m, const char *queue);

/* A worker's link is up or down, of which *was_up holds what was told last. */
void agent_metrics_link(struct metrics *m, enum figure link, bool *was_up, bool is_up);
