#include "gateway/conversation/pushes.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "gateway/clients/slow.h"

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

/* What a group tells: of which objects, by their keys among the sends, each with its number. */
struct told {
    uint64_t *keys;
    int64_t *numbers;
    size_t count;
};

static void told_deinit(struct told *t)
{
    free(t->keys);
    free(t->numbers);
}

/* A block of changes (b) is told of as a whole, by its number: such a group names no objects. */
static bool read_kind(struct json_span group, enum sends_kind *out)
{
    const struct json_span kind = json_member(group, "kind", NULL);

    *out = json_string_is(kind, "d") ? SENDS_DELETE : SENDS_UPDATE;
    return *out == SENDS_DELETE || json_string_is(kind, "u") || json_string_is(kind, "b");
}

/* ["<class>:<id>",<number of the send>] */
static bool read_one(struct json_span entry, enum sends_kind kind, struct text *ref,
                     struct told *out)
{
    struct json_walk w = json_walk(entry);

    text_clear(ref);
    if (!json_next(&w) || json_decode(w.value, ref) || !json_next(&w) ||
        json_int64(w.value, &out->numbers[out->count]))
        return false;
    out->keys[out->count++] = sends_key(kind, text_str(ref), ref->size);
    return true;
}

static bool read_told(struct gateway *g, struct json_span group, struct told *out)
{
    const struct json_span of = json_member(group, "of", NULL);
    const size_t count = json_count(of);
    struct json_walk w = json_walk(of);
    enum sends_kind kind;

    if (!read_kind(group, &kind) || json_kind(of) != JSON_ARRAY)
        return false;
    out->keys = calloc(count + 1, sizeof(*out->keys));
    out->numbers = calloc(count + 1, sizeof(*out->numbers));
    if (!out->keys || !out->numbers)
        err_out_of_memory();
    while (json_next(&w))
        if (!read_one(w.value, kind, &g->scratch, out))
            return false;
    return true;
}

/* A group on its way to its recipients. */
struct push {
    struct json_span body, gap;
    struct told told;
};

static enum metric deliver_to(struct gateway *g, struct client *c, const struct push *p)
{
    const struct told *t = &p->told;

    if (!c)
        return METRIC_PUSHES_SKIPPED;
    if (!slow_takes_push(g, c))
        return METRIC_PUSHES_DROPPED;
    if (sends_count_with(c->sends, t->keys, t->count) >
        (size_t)g->settings->gateway_max_unacknowledged)
        return METRIC_PUSHES_HELD_BACK;
    send_to(c, p->body, p->gap);
    for (size_t i = 0; i < t->count; i++)
        sends_add(&c->sends, t->keys[i], t->numbers[i]);
    return METRIC_PUSHES;
}

static void deliver_group(struct gateway *g, struct json_span group, const char *from)
{
    struct push p = {.body = json_member(group, "body", NULL)};
    struct json_walk recipients = json_walk(json_member(group, "to", NULL));

    p.gap = json_member(p.body, "clientId", NULL);
    if (json_kind(p.body) == JSON_OBJECT && read_told(g, group, &p.told)) {
        while (json_next(&recipients))
            metrics_add(g->metrics, deliver_to(g, find_recipient(g, recipients.value), &p), 1);
    } else {
        log_warn("push.malformed", LOG_STR("from", from));
    }
    told_deinit(&p.told);
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
        deliver_group(g, groups.value, m->app_id);
}

void pushes_again(struct gateway *g, const struct msg *m)
{
    struct client *c = m->client ? find(g, m->client, strlen(m->client)) : NULL;
    const bool taken = c && slow_has_room(g, c);

    if (taken)
        client_send(c, m->body, m->size);
    metrics_add(g->metrics, taken ? METRIC_REPEATED : METRIC_REPEATED_DROPPED, 1);
}
