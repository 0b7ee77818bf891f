#include "common/amqp/amqp_private.h"

/* Tells each number once: a returned message is told as such, and the confirm that the broker
 * sends after it finds it told. */
static void tell(struct amqp_link *link, uint64_t number, enum amqp_outcome outcome)
{
    bool *told = &link->told[number % AMQP_UNCONFIRMED_LIMIT];

    if (number < link->oldest || number >= link->next || *told)
        return;
    *told = true;
    while (link->oldest < link->next && link->told[link->oldest % AMQP_UNCONFIRMED_LIMIT])
        link->oldest++;
    link->config.events.outcome(link->config.arg, number, outcome);
}

void amqp_confirm(struct amqp_link *link, uint64_t number, bool multiple, enum amqp_outcome outcome)
{
    uint64_t last = number < link->next ? number : link->next - 1;

    for (uint64_t n = multiple ? link->oldest : number; n <= last; n++)
        tell(link, n, outcome);
}
