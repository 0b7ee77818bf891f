#include "gateway/pushes.h"

#include <string.h>

#include "common/log.h"
#include "gateway/slow.h"

static const struct json_limits push_limits = {JSON_DEPTH_MAX, SIZE_MAX};

/* The client under this binding, or NULL. */
static struct client *find_bound(const struct gateway *g, const char *id, size_t size,
                                 uint64_t epoch)
{
    struct client *c = clients_find(g->clients, id, size);

    return c && c->epoch == epoch && epoch > 0 && c->state != CLIENT_CLOSING ? c : NULL;
}

/* A recipient is ["<client id>", <epoch>]; our ids have no escapes. */
static struct client *find_recipient(const struct gateway *g, struct json_span recipient)
{
    struct json_walk w = json_walk(recipient);
    struct json_span id;
    int64_t epoch;

    if (!json_next(&w) || json_kind(w.value) != JSON_STRING)
        return NULL;
    id = w.value;
    if (!json_next(&w) || json_int64(w.value, &epoch))
        return NULL;
    return find_bound(g, id.at + 1, id.size - 2, (uint64_t)epoch);
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

/* ---- Control ---- */

static const char *reason_of(int64_t code)
{
    static const struct {
        int code;
        const char *reason;
    } reasons[] = {
        {4001, "taken over"},
        {4002, "revoked"},
        {4005, "session ended"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    return NULL;
}

void pushes_control(struct gateway *g, const struct msg *m)
{
    const char *reason = reason_of(m->code);
    struct client *c;

    if (!m->client || !m->reason || strcmp(m->reason, "close") != 0 || !reason) {
        log_warn("control.unknown", LOG_STR("from", m->app_id), LOG_I64("code", m->code));
        return;
    }
    c = find_bound(g, m->client, strlen(m->client), m->epoch);
    if (c)
        client_close(c, (int)m->code, reason);
}
