#include "gateway/door/rules.h"

#include "common/process/settings.h"

#define SOCKETS_PER_UPGRADE 4 /* an address may open so many more than it may upgrade */

/* A second's worth may come at once. */
static struct rate rate_of(int64_t per_s)
{
    return (struct rate){per_s, per_s};
}

static void tell(struct text *problems, const char *key, const struct text *problem)
{
    text_addf(problems, "%s: %s\n", key, text_str(problem));
}

/* Both lists are read, so that all mistakes are told at once. */
static enum err read_lists(const struct settings *s, struct door_rules *out, struct text *problems)
{
    _cleanup_(text_deinitp) struct text of_origins = {0}, of_proxies = {0};

    if (origins_read(s->gateway_origins, &out->origins, &of_origins))
        tell(problems, "gateway.origins", &of_origins);
    if (networks_read(s->gateway_trusted_proxies, &out->trusted, &of_proxies))
        tell(problems, "gateway.trusted_proxies", &of_proxies);
    return of_origins.size + of_proxies.size > 0 ? ERR_CONFIG : ERR_OK;
}

enum err door_rules_read(const struct settings *s, struct door_rules *out, struct text *problems)
{
    enum err e = read_lists(s, out, problems);

    if (e) {
        door_rules_deinit(out);
        return e;
    }
    out->require_origin = s->gateway_require_origin;
    out->most_clients = (size_t)s->gateway_max_connections_per_address;
    out->arrivals = rate_of(SOCKETS_PER_UPGRADE * s->gateway_max_upgrades_per_s_per_address);
    out->upgrades_of_one = rate_of(s->gateway_max_upgrades_per_s_per_address);
    out->upgrades_of_all = rate_of(s->gateway_max_upgrades_per_s);
    return ERR_OK;
}

void door_rules_deinit(struct door_rules *r)
{
    origins_deinit(&r->origins);
    networks_deinit(&r->trusted);
    *r = (struct door_rules){0};
}
