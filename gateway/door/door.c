#include "gateway/door/door.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/process/settings.h"
#include "gateway/door/forwarded.h"
#include "gateway/door/holders.h"
#include "gateway/door/origins.h"

#define SPARE_SOCKETS       32   /* of one address, beyond its WebSockets: pages, who just comes */
#define SOCKETS_PER_UPGRADE 4    /* an address may open so many more than it may upgrade */
#define KEPT_MS             1000 /* after which all its buckets are full again */

struct door {
    struct metrics *metrics;
    struct networks trusted; /* proxies */
    struct origins origins;
    bool require_origin;
    size_t most_clients; /* of one address; 0: any number */
    struct rate arrivals, upgrades_of_one, upgrades_of_all;
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

/* ---- The rules ---- */

/* A second's worth may come at once. */
static struct rate rate_of(int64_t per_s)
{
    return (struct rate){per_s, per_s};
}

static enum err read_lists(struct door *d, const struct settings *s)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    const char *key = "gateway.origins";
    enum err e = origins_read(s->gateway_origins, &d->origins, &problem);

    if (!e) {
        key = "gateway.trusted_proxies";
        e = networks_read(s->gateway_trusted_proxies, &d->trusted, &problem);
    }
    if (e)
        log_error("door.wrong_setting", LOG_STR("key", key), LOG_STR("problem", problem.at));
    return e;
}

enum err door_create(const struct settings *s, struct metrics *m, struct door **out)
{
    _cleanup_(door_destroyp) struct door *d = calloc(1, sizeof(*d));
    enum err e;

    if (!d)
        return ERR_NOMEM;
    d->metrics = m;
    d->require_origin = s->gateway_require_origin;
    d->most_clients = (size_t)s->gateway_max_connections_per_address;
    d->upgrades_of_all = rate_of(s->gateway_max_upgrades_per_s);
    d->upgrades_of_one = rate_of(s->gateway_max_upgrades_per_s_per_address);
    d->arrivals = rate_of(SOCKETS_PER_UPGRADE * s->gateway_max_upgrades_per_s_per_address);
    e = read_lists(d, s);
    if (!e)
        e = holders_create((size_t)s->gateway_max_connections, &d->holders);
    if (e)
        return e;
    *out = d;
    d = NULL;
    return ERR_OK;
}

void door_destroy(struct door *d)
{
    if (!d)
        return;
    holders_destroy(d->holders);
    origins_deinit(&d->origins);
    networks_deinit(&d->trusted);
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
    if (d->most_clients > 0 && h->sockets >= d->most_clients + SPARE_SOCKETS)
        return REFUSED_SOCKETS;
    return bucket_take(&h->arrivals, &d->arrivals, now_ms) ? REFUSED_NOT : REFUSED_ARRIVALS;
}

struct visitor *door_enter(struct door *d, const struct address *peer, int64_t now_ms)
{
    struct holder *h =
        networks_have(&d->trusted, peer) ? NULL : holders_find(d->holders, peer, now_ms);
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
        return d->require_origin ? REFUSED_NO_ORIGIN : REFUSED_NOT;
    return origins_allow(&d->origins, u->origin, u->host) ? REFUSED_NOT : REFUSED_ORIGIN;
}

/* What is refused for another reason counts, too. One address cannot use up what is for all. */
static enum refusal judge_upgrade(struct door *d, struct holder *h, const struct upgrade *u,
                                  int64_t now_ms)
{
    enum refusal why;

    if (!bucket_take(&h->upgrades, &d->upgrades_of_one, now_ms))
        return REFUSED_UPGRADES_OF_ONE;
    if (!bucket_take(&d->upgrades, &d->upgrades_of_all, now_ms))
        return REFUSED_UPGRADES_OF_ALL;
    why = judge_origin(d, u);
    if (why)
        return why;
    return d->most_clients > 0 && h->clients >= d->most_clients ? REFUSED_CLIENTS : REFUSED_NOT;
}

int door_upgrade(struct door *d, struct visitor *v, const struct upgrade *u, int64_t now_ms)
{
    struct holder *h;
    enum refusal why;

    v->from = forwarded_client(&d->trusted, &v->peer, u->forwarded);
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
