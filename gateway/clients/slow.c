#include "gateway/clients/slow.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/close_codes.h"

static void set_behind(struct gateway *g, struct client *c, bool behind)
{
    if (c->behind == behind)
        return;
    c->behind = behind;
    metrics_add(g->metrics, METRIC_BEHIND, behind ? 1 : -1);
    log_debug(behind ? "client.behind" : "client.caught_up",
              LOG_STR("client", c->session.client_id));
}

bool slow_has_room(const struct gateway *g, const struct client *c)
{
    return c->queued_bytes <= (size_t)g->settings->gateway_max_push_bytes;
}

bool slow_takes_push(struct gateway *g, struct client *c)
{
    if (!slow_has_room(g, c))
        set_behind(g, c, true);
    return !c->behind;
}

/* ---- All entries of the list have the same time, so it is in order ---- */

static void delist(struct gateway *g, struct client *c)
{
    if (c->waits)
        TAILQ_REMOVE(&g->waiting, c, by_wait);
    c->waits = false;
}

void slow_forget(struct gateway *g, struct client *c)
{
    delist(g, c);
    set_behind(g, c, false);
}

void slow_waits(struct gateway *g, struct client *c)
{
    delist(g, c);
    c->waits = true;
    c->waits_since_ms = clock_mono_ms();
    TAILQ_INSERT_TAIL(&g->waiting, c, by_wait);
}

void slow_tick(struct gateway *g, int64_t now_ms)
{
    const int64_t before_ms = now_ms - g->settings->gateway_max_send_age_ms;
    struct client *c;

    while ((c = TAILQ_FIRST(&g->waiting)) && c->waits_since_ms <= before_ms) {
        slow_forget(g, c);
        client_close(c, CLOSE_TOO_SLOW, "reads nothing");
    }
}

/* While it is being bound the agents would not know it. The ConnectResponse is still to come, and
 * empties the queue once more. */
void slow_emptied(struct gateway *g, struct client *c)
{
    delist(g, c);
    if (!c->behind || c->state != CLIENT_READY)
        return;
    set_behind(g, c, false);
    announcements_one(g, c);
}
