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

/* What a group tells of. */
struct told {
    struct owed_thing *things;
    size_t count;
};

static void told_deinit(struct told *t)
{
    for (size_t i = 0; i < t->count; i++)
        text_deinit(&t->things[i].item);
    free(t->things);
}

static bool read_update(struct text *name, struct owed_thing *out)
{
    *out = owed_object(SENDS_UPDATE, text_str(name), name->size);
    return true;
}

static bool read_delete(struct text *name, struct owed_thing *out)
{
    *out = owed_object(SENDS_DELETE, text_str(name), name->size);
    return true;
}

typedef bool read_name_fn(struct text *name, struct owed_thing *out);

/* How the things of a group are named; NULL: it is of no kind. A block of changes is told of as a
 * whole, by its number: such a group names nothing. */
static read_name_fn *name_reader(struct json_span group)
{
    static const struct {
        const char *kind;
        read_name_fn *read;
    } kinds[] = {{"u", read_update}, {"d", read_delete}, {"w", owed_value}, {"b", read_update}};
    const struct json_span kind = json_member(group, "kind", NULL);

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (json_string_is(kind, kinds[i].kind))
            return kinds[i].read;
    return NULL;
}

/* ["<its name>",<number of the send>] */
static bool read_one(struct json_span entry, read_name_fn *read, struct text *name,
                     struct told *out)
{
    struct owed_thing *thing = &out->things[out->count];
    struct json_walk w = json_walk(entry);

    text_clear(name);
    if (!json_next(&w) || json_decode(w.value, name) || !read(name, thing))
        return false;
    out->count++;
    return json_next(&w) && !json_int64(w.value, &thing->number);
}

static bool read_told(struct gateway *g, struct json_span group, struct told *out)
{
    const struct json_span of = json_member(group, "of", NULL);
    read_name_fn *read = name_reader(group);
    struct json_walk w = json_walk(of);

    if (!read || json_kind(of) != JSON_ARRAY)
        return false;
    out->things = calloc(json_count(of) + 1, sizeof(*out->things));
    if (!out->things)
        err_out_of_memory();
    while (json_next(&w))
        if (!read_one(w.value, read, &g->scratch, out))
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
    if (owed_count_with(&c->owed, t->things, t->count) >
        (size_t)g->settings->gateway_max_unacknowledged)
        return METRIC_PUSHES_HELD_BACK;
    send_to(c, p->body, p->gap);
    for (size_t i = 0; i < t->count; i++)
        owed_add(&c->owed, &t->things[i]);
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
