#include "agents/sync/host/tickets.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

struct ticket *tickets_add(struct tickets *tickets, const struct msg *m, uint64_t tag)
{
    struct ticket *ticket = calloc(1, sizeof(*ticket));

    if (!ticket)
        err_out_of_memory();
    ticket->number = ++tickets->number;
    ticket->tag = tag;
    ticket->call = m->correlation_id ? strdup(m->correlation_id) : NULL;
    ticket->next = tickets->first;
    tickets->first = ticket;
    return ticket;
}

void tickets_remove(struct tickets *tickets, struct ticket *ticket)
{
    struct ticket **at = &tickets->first;

    while (*at != ticket)
        at = &(*at)->next;
    *at = ticket->next;
    msg_destroy(ticket->reply);
    free(ticket->call);
    free(ticket);
}

struct ticket *tickets_by_number(const struct tickets *tickets, uint64_t number)
{
    struct ticket *ticket = tickets->first;

    while (ticket && ticket->number != number)
        ticket = ticket->next;
    return ticket;
}

static bool has_come_again(const struct ticket *ticket, const struct msg *m)
{
    return !ticket->tag && ticket->call && m->correlation_id &&
           !strcmp(ticket->call, m->correlation_id);
}

struct ticket *tickets_by_call(const struct tickets *tickets, const struct msg *m)
{
    struct ticket *ticket = tickets->first;

    while (ticket && !has_come_again(ticket, m))
        ticket = ticket->next;
    return ticket;
}
