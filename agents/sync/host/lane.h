#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/sync/host/task.h"

/*
 * lane - the threads that run the calls of one queue, as many at once as it has; what comes beyond
 * waits. Slow calls of one lane are nothing to another.
 *
 * A thread that does not come back is given up and replaced, `max_stuck` times at most: each costs
 * memory until the program ends. Then the lane is used up: what it still runs ends, but it takes
 * nothing any more.
 *
 * Threads: the link's thread alone.
 */

struct lane;
struct msgq;

struct lane_config {
    const char *queue; /* borrowed */
    const struct connector *connector;
    void *own; /* the connector's */
    unsigned threads;
    unsigned max_stuck;
    struct msgq *told; /* of struct told, which every thread that runs needs */
    size_t most_bytes; /* of an answer */
};

/* Starts its threads. ERR_NOMEM, ERR_IO. */
_must_check_ enum err lane_create(const struct lane_config *config, struct lane **out);

/* Waits for nothing: threads that run a call are given up. False: one of those that were given up
 * still uses the connector, and `told`. */
bool lane_destroy(struct lane *lane);

const char *lane_queue(const struct lane *lane);
unsigned lane_threads(const struct lane *lane);

/* Runs it, or lets it wait until a thread is free. */
void lane_put_take(struct lane *lane, struct task **task);

/* Forgets one that waits. False: it does not wait. */
bool lane_withdraw(struct lane *lane, uint64_t number);

/* It was answered: its thread takes the next one. False: the task was given up before. */
bool lane_answered(struct lane *lane, uint64_t number);

bool lane_runs(const struct lane *lane, uint64_t number);

/* Gives up the thread that runs it. */
void lane_give_up(struct lane *lane, uint64_t number);

bool lane_is_used_up(const struct lane *lane);
