#pragma once

#include <stddef.h>

#include "common/amqp/amqp_link.h"

/*
 * queues - a growing list of queues, each name once; what the workers of an agent declare.
 *
 * Borrows the names. A zeroed struct is empty. Running out of memory ends the process.
 */

struct queues {
    struct amqp_queue *at;
    size_t count;
};

void queues_deinit(struct queues *queues);

/* Adds *queue, unless there is one of its name. */
void queues_add(struct queues *queues, const struct amqp_queue *queue);
