#include "gateway/drain.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/close_codes.h"

#define FAREWELL_MS 3000 /* for clients to answer the close of a stopping gateway */

struct farewell {
    struct drain *drain;
    struct gateway *g;
    size_t staying; /* have something open */
};

void drain_send_away(struct drain *d, struct gateway *g, struct client *c)
{
    const size_t clients = d->clients > 0 ? d->clients : 1;
    const size_t place = d->away++ % clients;
    char delay_ms[24];

    snprintf(delay_ms, sizeof(delay_ms), "%lld",
             (long long)(g->settings->gateway_drain_ms * (int64_t)place / (int64_t)clients));
    client_close(c, CLOSE_DRAIN, delay_ms);
    d->last_away_ms = clock_mono_ms();
}

static void say_farewell(void *arg, struct client *c, size_t index)
{
    struct farewell *f = arg;

    (void)index;
    if (c->state == CLIENT_CLOSING)
        return;
    if (c->open.count > 0)
        f->staying++;
    else
        drain_send_away(f->drain, f->g, c);
}

void drain_begin(struct drain *d, struct gateway *g)
{
    g->draining = true;
    d->clients = clients_count(g->clients);
    d->last_away_ms = clock_mono_ms();
    log_info("gateway.draining", LOG_I64("clients", d->clients));
}

bool drain_goes_on(struct drain *d, struct gateway *g)
{
    struct farewell f = {d, g, 0};

    clients_visit(g->clients, say_farewell, &f);
    return f.staying > 0 ||
           (clients_count(g->clients) > 0 && clock_mono_ms() - d->last_away_ms < FAREWELL_MS);
}
