#include "agents/sync/own.h"

#include <stdlib.h>

#include "agents/sync/processes/declared.h"

enum err sync_own_load(struct agent *agent, struct text *problems)
{
    struct sync_own *own = calloc(1, sizeof(*own));

    if (!own)
        err_out_of_memory();
    agent->own = own;
    return declared_load(agent->proc.settings.process_file, &own->declared, problems);
}

void sync_own_unload(struct agent *agent)
{
    struct sync_own *own = agent->own;

    if (!own)
        return;
    declared_destroy(own->declared);
    free(own);
    agent->own = NULL;
}

void sync_own_queues(const struct agent *agent, struct queues *queues)
{
    const struct declared *declared = declared_of(agent);

    for (size_t i = 0; i < declared_queue_count(declared); i++)
        queues_add(queues,
                   &(struct amqp_queue){.name = declared_queue_at(declared, i), .quorum = true});
}

const struct declared *declared_of(const struct agent *agent)
{
    const struct sync_own *own = agent->own;

    return own->declared;
}
