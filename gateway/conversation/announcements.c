#include "gateway/conversation/announcements.h"

#include "common/base/log.h"
#include "gateway/conversation/control.h"
#include "gateway/conversation/requests.h"
#include "gateway/gateway.h"

#define CLIENTS_MAX 250 /* of one announcement: a script of the agents' takes them all at once */

/* Replies are our agents' work, but an operator may write one by hand. */
static const struct json_limits reply_limits = {JSON_DEPTH_MAX, SIZE_MAX};

/* ---- Announcements ---- */

/* One that is being put together. */
struct announcement {
    struct gateway *g;
    struct text body;
    size_t count;
};

static void begin(const struct gateway *g, struct text *body)
{
    text_clear(body);
    text_add(body, "{\"v\":1,\"gateway\":");
    text_add_json_str(body, bridge_queue_name(g->bridge));
    text_add(body, ",\"clients\":");
}

static void send_what_is_there(struct announcement *a)
{
    if (a->count == 0)
        return;
    text_add(&a->body, "]}");
    a->count = 0;
    if (requests_ask(a->g, "announce", PURPOSE_ANNOUNCE, &a->body))
        a->g->announcements.all_are_due = true;
}

static void add(void *arg, struct client *c, size_t index)
{
    struct announcement *a = arg;

    (void)index;
    if (!client_is_bound(c)) {
        c->unannounced = true;
        return;
    }
    if (a->count == 0)
        begin(a->g, &a->body);
    text_add_char(&a->body, a->count == 0 ? '[' : ',');
    text_add_json_str(&a->body, c->session.client_id);
    a->count++;
    if (a->count == CLIENTS_MAX)
        send_what_is_there(a);
}

void announcements_all(struct gateway *g)
{
    struct announcement a = {.g = g};

    g->announcements.all_are_due = false;
    clients_visit(g->clients, add, &a);
    send_what_is_there(&a);
    text_deinit(&a.body);
}

void announcements_one(struct gateway *g, struct client *c)
{
    struct announcement a = {.g = g};

    add(&a, c, 0);
    send_what_is_there(&a);
    text_deinit(&a.body);
}

/* ---- The lease ---- */

/* One at a time: a second one would wait for the same broker or agents. */
static void renew(struct gateway *g)
{
    _cleanup_(text_deinitp) struct text body = {0};

    begin(g, &body);
    text_add_u64(&body, clients_count(g->clients));
    text_add_char(&body, '}');
    g->announcements.alive_is_open = !requests_ask(g, "gatewayAlive", PURPOSE_ALIVE, &body);
}

void announcements_tick(struct gateway *g, int64_t now_ms)
{
    struct announcements *a = &g->announcements;

    if (now_ms < a->alive_at_ms)
        return;
    a->alive_at_ms = now_ms + g->settings->gateway_alive_ms;
    if (!a->alive_is_open)
        renew(g);
    if (a->all_are_due)
        announcements_all(g);
}

/* ---- Answers ---- */

/* The member of an answer, if it is of this kind; what else agents say is an error. */
static bool read_answer(const struct msg *m, const char *name, enum json_kind kind,
                        struct json_span *out)
{
    if (!json_check(m->body, m->size, &reply_limits, NULL))
        *out = json_member(json_value(m->body, m->size), name, NULL);
    if (json_kind(*out) == kind)
        return true;
    log_warn("announcements.refused", LOG_STR("member", name), LOG_STR("from", m->app_id));
    return false;
}

void announcements_lease(struct gateway *g, struct open_request *r, const struct msg *m)
{
    struct json_span number = {0};
    int64_t lease;

    (void)r;
    g->announcements.alive_is_open = false;
    if (!read_answer(m, "lease", JSON_NUMBER, &number) || json_int64(number, &lease) ||
        lease == g->announcements.lease)
        return;
    g->announcements.lease = lease;
    announcements_all(g);
}

/* ["<client id>", <close code>]; our ids have no escapes. Who is logging out knows already. */
static void close_one(struct gateway *g, struct json_span entry)
{
    struct json_walk w = json_walk(entry);
    struct json_span id;
    struct client *c;
    int64_t code;

    if (!json_next(&w) || json_kind(w.value) != JSON_STRING)
        return;
    id = w.value;
    if (!json_next(&w) || json_int64(w.value, &code))
        return;
    c = clients_find(g->clients, id.at + 1, id.size - 2);
    if (c && c->state != CLIENT_LEAVING)
        (void)control_close(g, id.at + 1, id.size - 2, code);
}

void announcements_taken(struct gateway *g, struct open_request *r, const struct msg *m)
{
    struct json_span close = {0};
    struct json_walk w;

    (void)r;
    if (!read_answer(m, "close", JSON_ARRAY, &close))
        g->announcements.all_are_due = true;
    w = json_walk(close);
    while (json_next(&w))
        close_one(g, w.value);
}

void announcements_not_heard(struct gateway *g, struct open_request *r, enum response_code code,
                             const char *desc)
{
    (void)desc;
    log_warn("announcements.not_heard", LOG_STR("operation", r->operation->name),
             LOG_I64("code", code));
    if (r->purpose == PURPOSE_ALIVE)
        g->announcements.alive_is_open = false;
    else
        g->announcements.all_are_due = true;
}
