#include "gateway/gateway.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/process/service.h"
#include "common/process/status.h"
#include "common/protocol/close_codes.h"
#include "common/protocol/format.h"
#include "common/protocol/seal.h"
#include "gateway/broker/consumer.h"
#include "gateway/broker/publisher.h"
#include "gateway/clients/slow.h"
#include "gateway/conversation/answers.h"
#include "gateway/conversation/control.h"
#include "gateway/conversation/dialect.h"
#include "gateway/conversation/incoming.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/pushes.h"
#include "gateway/conversation/requests.h"
#include "gateway/door/door.h"
#include "gateway/drain.h"
#include "gateway/pages.h"
#include "gateway/reloaded.h"
#include "gateway/sockets/listener.h"

#define PAUSE_SHARE 4    /* a client with a quarter of its queue full of replies is not read */
#define GRACE_MS    3000 /* for the last messages of a stopping gateway */

struct gateway_process {
    struct gateway g; /* of the socket thread */
    struct proc *proc;
    struct door *door;
    struct listener *listener;
    struct publisher *publisher;
    struct consumer *consumer;
    struct status *status;
    struct service *service;
    pthread_t thread; /* the socket thread */
    bool started;
    struct drain drain;                  /* of the socket thread */
    _Atomic(struct reloaded *) reloaded; /* to be put in force, or NULL */
    atomic_bool drain_asked, drained;
};

/* ---- Sockets come and go ---- */

static const struct dialect *dialect_named(const char *name)
{
    return strcmp(name, dialect_content.name) == 0 ? &dialect_content : &dialect_activestack;
}

static struct client *on_opened(void *arg, const char *dialect, const struct address *from,
                                const struct client_wire *wire, void *socket)
{
    struct gateway_process *p = arg;
    struct gateway *g = &p->g;
    struct client *c;

    if (client_create(dialect_named(dialect), wire, &g->client_limits, socket, &c))
        return NULL;
    c->address = *from;
    clients_add(g->clients, c);
    login_expect(g, c);
    metrics_add(g->metrics, METRIC_CONNECTIONS, 1);
    metrics_add(g->metrics, METRIC_CONNECTIONS_TOTAL, 1);
    if (g->draining)
        drain_send_away(&p->drain, g, c);
    else if (clients_count(g->clients) > (size_t)g->settings->gateway_max_connections)
        client_close(c, CLOSE_OVERLOAD, "too many connections");
    else if (bridge_away_ms(g->bridge, clock_mono_ms()) > g->settings->gateway_max_broker_outage_ms)
        client_close(c, CLOSE_OVERLOAD, "the broker is away");
    if (c->state == CLIENT_CLOSING)
        metrics_add(g->metrics, METRIC_CONNECTIONS_REFUSED, 1);
    return c;
}

static void on_frame(void *arg, struct client *c, const char *text, size_t size)
{
    struct gateway_process *p = arg;

    incoming_frame(&p->g, c, text, size);
    if (receipts_wait(&p->g.receipts))
        listener_await_turn(p->listener);
}

static void on_closed(void *arg, struct client *c)
{
    struct gateway_process *p = arg;
    struct gateway *g = &p->g;
    char address[ADDRESS_CHARS];

    address_print(&c->address, address);
    log_debug("client.closed", LOG_STR("client", c->session.client_id), LOG_STR("address", address),
              LOG_I64("code", c->close_code));
    if (c->close_code)
        metrics_count_close(g->metrics, c->close_code);
    metrics_add(g->metrics, METRIC_CONNECTIONS, -1);
    login_farewell(g, c);
    slow_forget(g, c);
    requests_end_all(g, c);
    clients_remove(g->clients, c);
    client_destroy(c);
}

static void on_emptied(void *arg, struct client *c)
{
    struct gateway_process *p = arg;

    login_emptied(&p->g, c);
    slow_emptied(&p->g, c);
}

static void on_waits(void *arg, struct client *c)
{
    struct gateway_process *p = arg;

    slow_waits(&p->g, c);
}

static void on_turn(void *arg)
{
    struct gateway_process *p = arg;

    receipts_flush(&p->g);
}

static int on_page(void *arg, const char *path, struct text *body)
{
    const struct gateway_process *p = arg;

    return pages_get(&p->g, path, body);
}

static void put_in_force(struct gateway_process *p, struct reloaded *r)
{
    door_set_rules(p->door, &r->door);
    listener_set_max_frame(p->listener, r->max_frame_bytes);
    p->g.client_limits.requests = r->requests;
    login_set_timeout(&p->g, r->login_timeout_ms);
}

static void reload(struct gateway_process *p)
{
    _cleanup_(reloaded_destroyp) struct reloaded *r = atomic_exchange(&p->reloaded, NULL);

    if (!r)
        return;
    put_in_force(p, r);
    listener_reload(p->listener);
    log_info("gateway.reloaded");
}

/* When everybody has left, the process ends. */
static void drain(struct gateway_process *p)
{
    if (!atomic_load(&p->drain_asked) || atomic_load(&p->drained))
        return;
    if (!p->g.draining) {
        drain_begin(&p->drain, &p->g);
        listener_stop_accepting(p->listener);
    }
    if (!drain_goes_on(&p->drain, &p->g)) {
        atomic_store(&p->drained, true);
        proc_request_stop(p->proc);
    }
}

/* ---- News from the other threads ---- */

/* A newer agent has written it. What a push tells comes again; who asked is told at once. */
static void refuse_format(struct gateway *g, const struct msg *m, bool is_reply)
{
    metrics_add(g->metrics, METRIC_FORMAT_UNKNOWN, 1);
    log_error("message.format", LOG_STR("type", m->type), LOG_STR("from", m->app_id),
              LOG_I64("format", m->format));
    if (is_reply)
        answers_unreadable(g, m);
}

static void take_message(struct gateway *g, const struct news *n)
{
    static const struct {
        const char *type;
        void (*take)(struct gateway *g, const struct msg *m);
    } types[] = {
        {"reply", answers_reply},
        {"push", pushes_deliver},
        {"again", pushes_again},
        {"control", control_take},
    };
    const char *type = n->message->type ? n->message->type : "";

    if (!format_is_read(n->message->format)) {
        refuse_format(g, n->message, strcmp(type, "reply") == 0);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcmp(type, types[i].type) == 0) {
            types[i].take(g, n->message);
            return;
        }
    }
    log_warn("gateway.unknown_message", LOG_STR("type", type));
}

/* While nobody consumed the gateway's queue, or when it was gone, pushes may have been lost. */
static void take_link(struct gateway *g, const struct news *n)
{
    if (n->link == LINK_CONSUMER && n->up)
        announcements_all(g);
}

static void on_work(void *arg)
{
    static void (*const takers[])(struct gateway * g, const struct news *n) = {
        [NEWS_MESSAGE] = take_message,
        [NEWS_OUTCOME] = answers_outcome,
        [NEWS_UNSENT] = answers_unsent,
        [NEWS_LINK] = take_link,
    };
    struct gateway_process *p = arg;
    struct news *n;

    while ((n = bridge_next(p->g.bridge))) {
        takers[n->kind](&p->g, n);
        news_destroy(n);
    }
    reload(p);
    drain(p);
}

static void on_tick(void *arg)
{
    struct gateway_process *p = arg;
    const int64_t now_ms = clock_mono_ms();

    atomic_store(&p->g.turned_ms, now_ms);
    answers_tick(&p->g, now_ms);
    login_tick(&p->g, now_ms);
    slow_tick(&p->g, now_ms);
    announcements_tick(&p->g, now_ms);
    door_tick(p->door, now_ms);
    bridge_flush(p->g.bridge);
    drain(p);
}

/* ---- Creation ---- */

/* A client that does not read its replies is not read any more. Pushes alone do not bring it there:
 * its receipts still have to come through. */
static size_t pause_bytes(const struct settings *s)
{
    const int64_t half = s->gateway_max_send_bytes / 2;
    const int64_t beside_pushes =
        s->gateway_max_push_bytes + s->gateway_max_send_bytes / PAUSE_SHARE;

    return (size_t)(beside_pushes < half ? beside_pushes : half);
}

static void read_settings(struct gateway *g, const struct settings *s)
{
    g->settings = s;
    g->keys = (struct session_keys){
        .current = s->gateway_session_secret,
        .previous = s->gateway_session_secret_previous,
        .max_age_ms = s->gateway_session_max_age_s * 1000,
    };
    g->json_limits = (struct json_limits){
        .depth = (size_t)s->gateway_max_depth,
        .number_chars = (size_t)s->gateway_max_number_chars,
    };
    g->client_limits = (struct client_limits){
        .send_bytes = (size_t)s->gateway_max_send_bytes,
        .pause_bytes = pause_bytes(s),
    };
}

static enum err create_listener(struct gateway_process *p)
{
    const struct settings *s = p->g.settings;

    return listener_create(
        &(struct listener_config){
            .host = s->gateway_host,
            .port = (uint16_t)s->gateway_port,
            .max_sockets = (size_t)s->gateway_max_connections,
            .ping_interval_ms = s->gateway_ping_interval_ms,
            .ping_timeout_ms = s->gateway_ping_timeout_ms,
            .handshake_s = s->gateway_handshake_timeout_s,
            .tls = {s->gateway_tls_certificate, s->gateway_tls_key, s->gateway_tls_client_ca,
                    (enum tls_clients)s->gateway_tls_clients},
            .door = p->door,
            .metrics = p->g.metrics,
            .events = {on_opened, on_frame, on_closed, on_emptied, on_waits, on_page, on_turn,
                       on_work, on_tick},
            .arg = p,
        },
        &p->listener);
}

/* What may change later is put in force in the same way at first. Mistakes are told before there is
 * a port. */
static enum err open_door(struct gateway_process *p)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    _cleanup_(reloaded_destroyp) struct reloaded *r = NULL;
    const struct settings *s = p->g.settings;
    enum err e = reloaded_read(s, &r, &problems);

    if (e) {
        log_error("gateway.wrong_settings", LOG_STR("mistakes", text_str(&problems)));
        return e;
    }
    e = door_create((size_t)s->gateway_max_connections, p->g.metrics, &p->door);
    if (!e)
        e = create_listener(p);
    if (!e)
        put_in_force(p, r);
    return e;
}

static void wake_listener(void *arg)
{
    listener_wake(arg);
}

static enum err create_world(struct gateway_process *p)
{
    const struct settings *s = p->g.settings;
    const struct open_limits limits = {
        .count = (size_t)s->gateway_max_open_requests,
        .bytes = (size_t)s->gateway_max_open_bytes,
        .timeout_ms = {[OPEN_PROMPT] = s->gateway_request_timeout_ms,
                       [OPEN_SLOW] = s->gateway_process_timeout_ms},
    };
    enum err e;

    TAILQ_INIT(&p->g.to_log_in);
    TAILQ_INIT(&p->g.to_renew);
    TAILQ_INIT(&p->g.waiting);
    open_account_init(&p->g.open);
    receipts_init(&p->g.receipts);
    p->g.seal = seal_create(s->auth_seal_secret, s->auth_seal_secret_previous);
    p->g.metrics = metrics_create(&gateway_metrics, NULL);
    e = clients_create(&p->g.clients);
    if (!e)
        e = open_requests_create(&limits, &p->g.requests);
    if (!e)
        e = open_door(p);
    if (!e)
        e = bridge_create((size_t)s->gateway_queue_length, wake_listener, p->listener,
                          &p->g.bridge);
    return e;
}

/* ---- Threads ---- */

static void name_connection(const struct proc *proc, const char *what, struct text *out)
{
    const char *name = proc->settings.gateway_name;

    text_addf(out, GATEWAY_APP_ID " %s %s", *name ? name : proc->host, what);
}

static enum err start_publisher(struct gateway_process *p)
{
    _cleanup_(text_deinitp) struct text name = {0};
    const struct settings *s = p->g.settings;

    name_connection(p->proc, "publisher", &name);
    return publisher_start(
        &(struct publisher_config){
            .url = s->amqp_url,
            .tls = settings_amqp_tls(s),
            .connection_name = text_str(&name),
            .heartbeat_s = (uint16_t)s->amqp_heartbeat_s,
            .outage_ms = s->gateway_max_broker_outage_ms,
            .waiting_max = (size_t)s->gateway_queue_length,
            .orders = bridge_orders(p->g.bridge),
            .wake = bridge_publisher_wake(p->g.bridge),
            .news = bridge_news(p->g.bridge),
            .metrics = p->g.metrics,
        },
        &p->publisher);
}

static enum err start_consumer(struct gateway_process *p)
{
    _cleanup_(text_deinitp) struct text name = {0};
    const struct settings *s = p->g.settings;

    name_connection(p->proc, "consumer", &name);
    return consumer_start(
        &(struct consumer_config){
            .url = s->amqp_url,
            .tls = settings_amqp_tls(s),
            .connection_name = text_str(&name),
            .tag = GATEWAY_APP_ID,
            .queue = bridge_queue_name(p->g.bridge),
            .heartbeat_s = (uint16_t)s->amqp_heartbeat_s,
            .news = bridge_news(p->g.bridge),
            .metrics = p->g.metrics,
        },
        &p->consumer);
}

static enum err start_status(struct gateway_process *p)
{
    const struct settings *s = p->g.settings;
    const struct status_source source = pages_source(&p->g);
    enum err e = status_start(s->status_host, (uint16_t)s->status_port, &source, &p->status);

    return e ? e : service_start(&source, &p->service);
}

static void *run_sockets(void *arg)
{
    struct gateway_process *p = arg;

    (void)pthread_setname_np(pthread_self(), "sockets"); /* for top -H */
    listener_run(p->listener);
    return NULL;
}

enum err gateway_start(struct proc *proc, struct gateway_process **out)
{
    _cleanup_(gateway_stopp) struct gateway_process *p = calloc(1, sizeof(*p));
    enum err e;

    if (!p)
        return ERR_NOMEM;
    p->proc = proc;
    atomic_store(&p->g.turned_ms, clock_mono_ms());
    read_settings(&p->g, &proc->settings);
    e = create_world(p);
    if (!e)
        e = start_publisher(p);
    if (!e)
        e = start_consumer(p);
    if (!e)
        e = start_status(p);
    if (!e && pthread_create(&p->thread, NULL, run_sockets, p) != 0)
        e = ERR_IO;
    if (e) {
        log_error("gateway.not_started", LOG_ERR(e));
        return e;
    }
    p->started = true;
    *out = p;
    p = NULL;
    return ERR_OK;
}

/* What was read before, and has not been put in force yet, is of no use any more. */
enum err gateway_reload(struct gateway_process *p, const struct settings *s, struct text *problems)
{
    struct reloaded *r;
    enum err e = reloaded_read(s, &r, problems);

    if (e)
        return e;
    reloaded_destroy(atomic_exchange(&p->reloaded, r));
    listener_wake(p->listener);
    return ERR_OK;
}

void gateway_drain(struct gateway_process *p)
{
    service_stopping(p->service);
    atomic_store(&p->drain_asked, true);
    listener_wake(p->listener);
}

struct service *gateway_service(const struct gateway_process *p)
{
    return p->service;
}

bool gateway_is_drained(const struct gateway_process *p)
{
    return atomic_load(&p->drained);
}

/* The listener goes last: the other threads wake it. */
void gateway_stop(struct gateway_process *p)
{
    if (!p)
        return;
    service_end(p->service);
    status_stop(p->status);
    publisher_stop(p->publisher, gateway_is_drained(p) ? GRACE_MS : 0);
    consumer_stop(p->consumer);
    if (p->started) {
        listener_end(p->listener);
        (void)pthread_join(p->thread, NULL);
    }
    listener_destroy(p->listener);
    reloaded_destroy(p->reloaded);
    door_destroy(p->door);
    bridge_destroy(p->g.bridge);
    open_requests_destroy(p->g.requests);
    clients_destroy(p->g.clients);
    receipts_deinit(&p->g.receipts);
    metrics_destroy(p->g.metrics);
    text_deinit(&p->g.scratch);
    seal_destroy(p->g.seal);
    free(p);
}
