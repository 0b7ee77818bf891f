#include "gateway/door/door.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "gateway/door/forwarded.h"
#include "gateway/door/holders.h"

#define SPARE_SOCKETS 32   /* of one address, beyond its WebSockets: pages, who just comes */
#define KEPT_MS       1000 /* after which all its buckets are full again */

struct door {
    struct metrics *metrics;
    struct door_rules rules;
    struct bucket upgrades;
    struct holders *holders;
};

/* Why somebody stays outside. */
enum refusal {
    REFUSED_NOT, /* let in */
    REFUSED_SOCKETS,
    REFUSED_ARRIVALS,
    REFUSED_UPGRADES_OF_ONE,
    REFUSED_UPGRADES_OF_ALL,
    REFUSED_ORIGIN,
    REFUSED_NO_ORIGIN,
    REFUSED_CLIENTS,
};

static const struct {
    const char *reason;
    enum metric metric;
    int status; /* of HTTP; 0: nothing has been asked that could be answered */
} refusals[] = {
    // clang-format off
    [REFUSED_SOCKETS]         = { "sockets of the address",      METRIC_DOOR_SOCKETS,         0   },
    [REFUSED_ARRIVALS]        = { "socket rate of the address",  METRIC_DOOR_ARRIVALS,        0   },
    [REFUSED_UPGRADES_OF_ONE] = { "upgrade rate of the address", METRIC_DOOR_UPGRADES_OF_ONE, 429 },
    [REFUSED_UPGRADES_OF_ALL] = { "upgrade rate",                METRIC_DOOR_UPGRADES_OF_ALL, 503 },
    [REFUSED_ORIGIN]          = { "origin",                      METRIC_DOOR_ORIGIN,          403 },
    [REFUSED_NO_ORIGIN]       = { "no origin",                   METRIC_DOOR_NO_ORIGIN,       403 },
    [REFUSED_CLIENTS]         = { "connections of the address",  METRIC_DOOR_CLIENTS,         429 },
    // clang-format on
};

enum err door_create(size_t most, struct metrics *m, struct door **out)
{
    struct door *d = calloc(1, sizeof(*d));
    enum err e;

    if (!d)
        return ERR_NOMEM;
    d->metrics = m;
    e = holders_create(most, &d->holders);
    if (e)
        free(d);
    else
        *out = d;
    return e;
}

void door_set_rules(struct door *d, struct door_rules *taken)
{
    door_rules_deinit(&d->rules);
    d->rules = *taken;
    *taken = (struct door_rules){0};
}

void door_destroy(struct door *d)
{
    if (!d)
        return;
    holders_destroy(d->holders);
    door_rules_deinit(&d->rules);
    free(d);
}

/* ---- Who comes ---- */

static void tell(const struct door *d, enum refusal why, const struct address *who,
                 const char *origin)
{
    char address[ADDRESS_CHARS];

    address_print(who, address);
    metrics_add(d->metrics, refusals[why].metric, 1);
    log_warn("door.refused", LOG_STR("reason", refusals[why].reason), LOG_STR("address", address),
             LOG_STR("origin", origin));
}

static enum refusal judge_socket(const struct door *d, struct holder *h, int64_t now_ms)
{
    if (d->rules.most_clients > 0 && h->sockets >= d->rules.most_clients + SPARE_SOCKETS)
        return REFUSED_SOCKETS;
    return bucket_take(&h->arrivals, &d->rules.arrivals, now_ms) ? REFUSED_NOT : REFUSED_ARRIVALS;
}

struct visitor *door_enter(struct door *d, const struct address *peer, int64_t now_ms)
{
    struct holder *h =
        networks_have(&d->rules.trusted, peer) ? NULL : holders_find(d->holders, peer, now_ms);
    const enum refusal why = h ? judge_socket(d, h, now_ms) : REFUSED_NOT;
    struct visitor *v;

    if (why) {
        tell(d, why, peer, NULL);
        return NULL;
    }
    v = calloc(1, sizeof(*v));
    if (!v)
        err_out_of_memory();
    *v = (struct visitor){.peer = *peer, .from = *peer, .holder = h};
    if (h) {
        h->sockets++;
        holders_changed(d->holders, h, now_ms);
    }
    return v;
}

static enum refusal judge_origin(const struct door *d, const struct upgrade *u)
{
    if (!u->origin)
        return d->rules.require_origin ? REFUSED_NO_ORIGIN : REFUSED_NOT;
    return origins_allow(&d->rules.origins, u->origin, u->host) ? REFUSED_NOT : REFUSED_ORIGIN;
}

/* What is refused for another reason counts, too. One address cannot use up what is for all. */
static enum refusal judge_upgrade(struct door *d, struct holder *h, const struct upgrade *u,
                                  int64_t now_ms)
{
    enum refusal why;

    if (!bucket_take(&h->upgrades, &d->rules.upgrades_of_one, now_ms))
        return REFUSED_UPGRADES_OF_ONE;
    if (!bucket_take(&d->upgrades, &d->rules.upgrades_of_all, now_ms))
        return REFUSED_UPGRADES_OF_ALL;
    why = judge_origin(d, u);
    if (why)
        return why;
    return d->rules.most_clients > 0 && h->clients >= d->rules.most_clients ? REFUSED_CLIENTS
                                                                            : REFUSED_NOT;
}

int door_upgrade(struct door *d, struct visitor *v, const struct upgrade *u, int64_t now_ms)
{
    struct holder *h;
    enum refusal why;

    v->from = forwarded_client(&d->rules.trusted, &v->peer, u->forwarded);
    h = holders_find(d->holders, &v->from, now_ms);
    why = judge_upgrade(d, h, u, now_ms);
    if (why) {
        tell(d, why, &v->from, u->origin);
        return refusals[why].status;
    }
    h->clients++;
    holders_changed(d->holders, h, now_ms);
    v->client_holder = h;
    return 0;
}

void door_leave(struct door *d, struct visitor *v, int64_t now_ms)
{
    if (!v)
        return;
    if (v->client_holder) {
        v->client_holder->clients--;
        holders_changed(d->holders, v->client_holder, now_ms);
    }
    if (v->holder) {
        v->holder->sockets--;
        holders_changed(d->holders, v->holder, now_ms);
    }
    free(v);
}

void door_tick(struct door *d, int64_t now_ms)
{
    holders_forget(d->holders, KEPT_MS, now_ms);
}
