#include "agents/runtime/queues.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

void queues_deinit(struct queues *queues)
{
    free(queues->at);
    memset(queues, 0, sizeof(*queues));
}

void queues_add(struct queues *queues, const struct amqp_queue *queue)
{
    struct amqp_queue *grown;

    for (size_t i = 0; i < queues->count; i++)
        if (!strcmp(queues->at[i].name, queue->name))
            return;
    grown = reallocarray(queues->at, queues->count + 1, sizeof(*grown));
    if (!grown)
        err_out_of_memory();
    queues->at = grown;
    queues->at[queues->count++] = *queue;
}
