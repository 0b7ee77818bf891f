#include "gateway/pushes.h"

#include <string.h>

#include "common/log.h"
#include "gateway/slow.h"

static const struct json_limits push_limits = {JSON_DEPTH_MAX, SIZE_MAX};

static struct client *find(const struct gateway *g, const char *id, size_t size)
{
    struct client *c = clients_find(g->clients, id, size);

    return c && client_takes_pushes(c) ? c : NULL;
}

/* Our ids have no escapes. */
static struct client *find_recipient(const struct gateway *g, struct json_span id)
{
    return json_kind(id) == JSON_STRING ? find(g, id.at + 1, id.size - 2) : NULL;
}

/* `gap` is where the client id goes; absent if the body has no place for it. */
static void send_to(struct client *c, struct json_span body, struct json_span gap)
{
    const char *end = body.at + body.size;

    if (!gap.at) {
        client_send(c, body.at, body.size);
        return;
    }
    client_send_pieces(
        c,
        (struct client_piece[]){{body.at, (size_t)(gap.at - body.at)},
                                {"\"", 1},
                                {c->session.client_id, SECRET_ID_CHARS},
                                {"\"", 1},
                                {gap.at + gap.size, (size_t)(end - gap.at - gap.size)}},
        5);
}

static void deliver_group(struct gateway *g, struct json_span group)
{
    struct json_span body = json_member(group, "body", NULL);
    struct json_span gap = json_member(body, "clientId", NULL);
    struct json_walk recipients = json_walk(json_member(group, "to", NULL));
    int64_t delivered = 0, skipped = 0, dropped = 0;

    if (json_kind(body) != JSON_OBJECT)
        return;
    while (json_next(&recipients)) {
        struct client *c = find_recipient(g, recipients.value);

        if (!c) {
            skipped++;
        } else if (!slow_takes_push(g, c)) {
            dropped++;
        } else {
            send_to(c, body, gap);
            delivered++;
        }
    }
    metrics_add(g->metrics, METRIC_PUSHES, delivered);
    metrics_add(g->metrics, METRIC_PUSHES_SKIPPED, skipped);
    metrics_add(g->metrics, METRIC_PUSHES_DROPPED, dropped);
}

void pushes_deliver(struct gateway *g, const struct msg *m)
{
    struct json_walk groups;

    if (json_check(m->body, m->size, &push_limits, NULL)) {
        log_warn("push.malformed", LOG_STR("from", m->app_id));
        return;
    }
    groups = json_walk(json_member(json_value(m->body, m->size), "groups", NULL));
    while (json_next(&groups))
        deliver_group(g, groups.value);
}

void pushes_again(struct gateway *g, const struct msg *m)
{
    struct client *c = m->client ? find(g, m->client, strlen(m->client)) : NULL;

    if (c)
        client_send(c, m->body, m->size);
    metrics_add(g->metrics, c ? METRIC_PUSHES : METRIC_PUSHES_SKIPPED, 1);
}
