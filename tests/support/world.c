#include "tests/support/world.h"

#include <stdlib.h>
#include <string.h>

#include "common/protocol/seal.h"
#include "gateway/conversation/answers.h"
#include "gateway/conversation/dialect.h"
#include "gateway/conversation/incoming.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/requests.h"
#include "tests/support/unit.h"

static void want_write(void *socket)
{
    (void)socket;
}

static void pause_reading(void *socket, bool pause)
{
    (void)socket;
    (void)pause;
}

static void start_closing(void *socket, int patience_s)
{
    (void)socket;
    (void)patience_s;
}

static const struct client_wire wire = {want_write, pause_reading, start_closing};

void world_init(struct world *w)
{
    static char provider[] = "file";
    const struct open_limits limits = {.count = 10, .bytes = 10000, .timeout_ms = {1000, 1000}};

    *w = (struct world){
        .settings = {.gateway_alive_ms = 1000,
                     .gateway_max_push_bytes = 100000,
                     .gateway_max_unacknowledged = 1000,
                     .gateway_content_provider = provider},
        .g = {.keys = {"a key of at least thirty-two bytes", NULL, 100000},
              .json_limits = {64, 100},
              .client_limits = {100000, 100000},
              .login_timeout_ms = 1000},
    };
    assert_ok(secret_init());
    w->g.seal = seal_create("another key of thirty-two bytes or more", "");
    w->g.settings = &w->settings;
    TAILQ_INIT(&w->g.to_log_in);
    TAILQ_INIT(&w->g.to_renew);
    TAILQ_INIT(&w->g.waiting);
    open_account_init(&w->g.open);
    receipts_init(&w->g.receipts);
    w->g.metrics = metrics_create(&gateway_metrics, NULL);
    assert_ok(clients_create(&w->g.clients));
    assert_ok(open_requests_create(&limits, &w->g.requests));
    assert_ok(bridge_create(100, NULL, NULL, &w->g.bridge));
}

void world_deinit(struct world *w)
{
    bridge_destroy(w->g.bridge);
    receipts_deinit(&w->g.receipts);
    open_requests_destroy(w->g.requests);
    clients_destroy(w->g.clients);
    metrics_destroy(w->g.metrics);
    seal_destroy(w->g.seal);
    text_deinit(&w->g.scratch);
}

static struct client *open_with(struct world *w, const struct dialect *dialect)
{
    struct client *c;

    assert_ok(client_create(dialect, &wire, &w->g.client_limits, NULL, &c));
    clients_add(w->g.clients, c);
    login_expect(&w->g, c);
    return c;
}

struct client *world_open(struct world *w)
{
    return open_with(w, &dialect_activestack);
}

struct client *world_open_content(struct world *w)
{
    return open_with(w, &dialect_content);
}

void world_close(struct world *w, struct client *c)
{
    login_farewell(&w->g, c);
    requests_end_all(&w->g, c);
    clients_remove(w->g.clients, c);
    client_destroy(c);
}

void world_say(struct world *w, struct client *c, const char *frame)
{
    incoming_frame(&w->g, c, frame, strlen(frame));
}

char *world_hear(struct world *w, struct client *c)
{
    const struct client_frame *f = client_next_frame(c);
    char *text = f ? strndup(f->bytes, f->size) : NULL;

    if (!f)
        return NULL;
    client_frame_written(c);
    if (!client_next_frame(c))
        login_emptied(&w->g, c);
    return text;
}

void world_skip(struct world *w, struct client *c, size_t frames)
{
    while (frames-- > 0) {
        char *text = world_hear(w, c);

        ck_assert_ptr_nonnull(text);
        free(text);
    }
}

/* As the auth agents do. */
static struct msg *open_sealed(const struct world *w, struct msg *m)
{
    _cleanup_(text_deinitp) struct text body = {0};
    struct msg plain = *m, *opened;

    assert_ok(seal_open(w->g.seal, m, &body));
    plain.body = text_str(&body);
    plain.size = body.size;
    assert_ok(msg_create(&plain, &opened));
    msg_destroy(m);
    return opened;
}

struct msg *world_published(struct world *w)
{
    struct order *o;
    struct msg *m = NULL;

    bridge_flush(w->g.bridge);
    while (!m && (o = msgq_pop(bridge_orders(w->g.bridge)))) {
        m = o->message;
        o->message = NULL;
        order_destroy(o);
    }
    return m && seal_is_on(m) ? open_sealed(w, m) : m;
}

static void reply(struct world *w, const struct msg *request, const struct msg *headers,
                  const char *body)
{
    _cleanup_(text_deinitp) struct text sealed = {0};
    struct msg m = {.type = "reply",
                    .queue = request->reply_to,
                    .correlation_id = request->correlation_id,
                    .client = request->client,
                    .user = headers->user,
                    .reason = headers->reason,
                    .body = body,
                    .size = strlen(body)};

    if (seal_is_on(request)) {
        seal_close(w->g.seal, &m, &sealed);
        m.encoding = SEAL_ENCODING;
        m.body = sealed.at;
        m.size = sealed.size;
    }
    answers_reply(&w->g, &m);
}

void world_reply(struct world *w, const struct msg *request, const char *body, const char *reason)
{
    reply(w, request, &(struct msg){.reason = reason}, body);
}

void world_reply_bound(struct world *w, const struct msg *request, const char *body,
                       const char *user)
{
    reply(w, request, &(struct msg){.user = user}, body);
}
