#include "gateway/conversation/requests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/protocol/format.h"
#include "common/protocol/seal.h"
#include "gateway/conversation/dialect.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/dialect/activestack.h"

#define NUMBER_CHARS 21 /* of a 64-bit number in decimal, with its NUL */

/* The client says when it has the reply; until then the agents keep the request. */
static bool must_be_kept(const struct client *c, const struct request *r)
{
    return c && c->keeps && r->message_id && r->purpose == PURPOSE_CLIENT &&
           r->operation->needs_login && r->operation->response_class;
}

/* What a message points to. */
struct printed {
    char number[NUMBER_CHARS];
    char address[ADDRESS_CHARS]; /* "": it is not to be told */
};

/* Whoever lets a client in wants to know where it comes from. */
static bool tells_address(const struct client *c, const struct request *r)
{
    return c && (r->purpose == PURPOSE_LOGIN || r->purpose == PURPOSE_BIND);
}

static struct msg compose(const struct gateway *g, const struct client *c, const struct request *r,
                          const struct printed *printed)
{
    const char *name = activestack_served_name(r->operation);

    return (struct msg){
        .queue = name,
        .type = name,
        .message_id = r->message_id,
        .correlation_id = printed->number,
        .reply_to = bridge_queue_name(g->bridge),
        .app_id = GATEWAY_APP_ID,
        .persistent = r->operation->has_effects || r->wants_ack,
        .mandatory = true,
        .client = c ? c->session.client_id : NULL,
        .user = c ? c->session.user_id : NULL,
        .device = c && !r->device ? c->session.device_id : r->device,
        .dialect = c ? c->dialect->name : dialect_activestack.name,
        .address = *printed->address ? printed->address : NULL,
        .accepted_ms = clock_wall_ms(),
        .keep = must_be_kept(c, r),
        .format = FORMAT_WRITTEN,
        .body = r->body,
        .size = r->size,
    };
}

static enum err publish(struct gateway *g, const struct open_request *r, struct msg *m)
{
    const struct bridge_terms terms = {
        .number = r->number,
        .deadline_ms = r->deadline_ms,
        .expires = !m->persistent,
        .tell_confirm = r->wants_ack,
    };

    if (bridge_publish(g->bridge, m, &terms))
        return ERR_AWAY;
    metrics_add(g->metrics, METRIC_REQUESTS, 1);
    return ERR_OK;
}

/* Notifications of the content protocol have no answer that a client could wait for before it sends
 * the next one, so it is the gateway that keeps them in their order: one of a client at a time. */
static bool is_wish(const struct open_request *r)
{
    return r->operation->content_class && !r->operation->response_class;
}

static struct open_request *first_wish(const struct client *c)
{
    struct open_request *r = TAILQ_FIRST(&c->open.list);

    while (r && !is_wish(r))
        r = TAILQ_NEXT(r, by_client);
    return r;
}

static bool must_be_held(const struct client *c, const struct open_request *r)
{
    if (!c || !r->operation->needs_login || r->purpose == PURPOSE_BIND)
        return false;
    return c->state == CLIENT_BINDING || (is_wish(r) && first_wish(c) != r);
}

static struct open_account *account_of(struct gateway *g, struct client *c)
{
    return c ? &c->open : &g->open;
}

static void count_open(struct gateway *g)
{
    metrics_set(g->metrics, METRIC_OPEN_REQUESTS, (int64_t)open_requests_count(g->requests));
}

enum err requests_open(struct gateway *g, struct client *c, const struct request *r,
                       struct open_request **out)
{
    const struct open_request fields = {
        .client = c,
        .operation = r->operation,
        .purpose = r->purpose,
        .wants_ack = r->wants_ack,
        .bytes = r->size,
    };
    enum err e = open_requests_add(g->requests, account_of(g, c), &fields, r->message_id,
                                   clock_mono_us(), out);

    count_open(g);
    return e;
}

/* What is for the auth agents is for nobody else's eyes. The body is in `sealed` then. */
static void seal(const struct gateway *g, const struct operation *o, struct msg *m,
                 struct text *sealed)
{
    if (o->agent != AGENT_AUTH)
        return;
    seal_close(g->seal, m, sealed);
    m->encoding = SEAL_ENCODING;
    m->body = sealed->at;
    m->size = sealed->size;
}

/* Publishes (or holds) what has been opened; if that fails it is ended. */
static enum err send_out(struct gateway *g, const struct request *r, struct open_request *open)
{
    _cleanup_(text_deinitp) struct text sealed = {0};
    struct printed printed = {0};
    enum err e = ERR_OK;
    struct msg m;

    snprintf(printed.number, sizeof(printed.number), "%" PRIu64, open->number);
    if (tells_address(open->client, r))
        address_print(&open->client->address, printed.address);
    m = compose(g, open->client, r, &printed);
    seal(g, r->operation, &m, &sealed);
    if (!must_be_held(open->client, open))
        e = publish(g, open, &m);
    else if (msg_create(&m, &open->held))
        err_out_of_memory();
    if (e)
        open_requests_end(g->requests, account_of(g, open->client), open);
    count_open(g);
    return e;
}

enum err requests_start(struct gateway *g, struct client *c, const struct request *r)
{
    struct open_request *open;
    enum err e = requests_open(g, c, r, &open);

    return e ? e : send_out(g, r, open);
}

enum err requests_ask(struct gateway *g, const char *operation, enum purpose purpose,
                      const struct text *body)
{
    return requests_start(
        g, NULL,
        &(struct request){.operation = operation_by_name(operation, strlen(operation)),
                          .purpose = purpose,
                          .body = body->at,
                          .size = body->size});
}

enum err requests_ask_for(struct gateway *g, const struct request *r, uint64_t **members,
                          size_t count)
{
    struct open_request *open;
    enum err e = requests_open(g, NULL, r, &open);

    if (!e)
        e = send_out(g, r, open);
    if (e)
        return e;
    open->members = *members;
    open->member_count = count;
    *members = NULL;
    return ERR_OK;
}

void requests_tell(struct gateway *g, const struct operation *o, const struct text *body)
{
    const struct bridge_terms terms = {
        .deadline_ms = clock_mono_ms() + g->settings->gateway_request_timeout_ms,
        .expires = true,
        .may_be_refused = true,
    };
    const struct msg m = {
        .queue = o->name,
        .type = o->name,
        .app_id = GATEWAY_APP_ID,
        .mandatory = true,
        .accepted_ms = clock_wall_ms(),
        .format = FORMAT_WRITTEN,
        .body = body->at,
        .size = body->size,
    };

    if (!bridge_publish(g->bridge, &m, &terms))
        metrics_add(g->metrics, METRIC_REQUESTS, 1);
}

void requests_publish_only(struct gateway *g, const struct operation *o, const struct msg *identity,
                           const struct text *body)
{
    _cleanup_(text_deinitp) struct text sealed = {0};
    struct msg m = *identity;

    m.queue = m.type = o->name;
    m.app_id = GATEWAY_APP_ID;
    m.dialect = dialect_activestack.name; /* there is no answer */
    m.persistent = m.mandatory = true;
    m.accepted_ms = clock_wall_ms();
    m.format = FORMAT_WRITTEN;
    m.body = body->at;
    m.size = body->size;
    seal(g, o, &m, &sealed);
    if (!bridge_publish(g->bridge, &m, &(struct bridge_terms){0}))
        metrics_add(g->metrics, METRIC_REQUESTS, 1);
}

enum response_code requests_code(enum err e)
{
    return e == ERR_FULL ? CODE_TOO_MANY : CODE_BACK_END_AWAY;
}

const char *requests_reason(enum err e)
{
    return e == ERR_FULL ? "too many requests of this client are open"
                         : "too many requests wait for the broker";
}

static void end(struct gateway *g, struct open_request *r)
{
    if (!r->held && r->purpose != PURPOSE_RECEIPT)
        bridge_forget(g->bridge, r->number);
    open_requests_end(g->requests, account_of(g, r->client), r);
    count_open(g);
}

static void refuse(struct gateway *g, struct open_request *r, enum response_code code,
                   const char *desc)
{
    outgoing_failure_of(g, r, code, desc);
    end(g, r);
}

/* False: it could not be published; it has been answered with an error. */
static bool release(struct gateway *g, struct open_request *r)
{
    struct msg m = *r->held;
    enum err e;

    m.user = r->client->session.user_id; /* a return may not have known it */
    e = publish(g, r, &m);
    msg_destroy(r->held);
    r->held = NULL;
    if (e)
        refuse(g, r, requests_code(e), requests_reason(e));
    return !e;
}

void requests_release(struct gateway *g, struct client *c)
{
    struct open_request *r = TAILQ_FIRST(&c->open.list), *next;

    for (; r; r = next) {
        next = TAILQ_NEXT(r, by_client);
        if (r->held && !must_be_held(c, r))
            (void)release(g, r);
    }
}

void requests_refuse_held(struct gateway *g, struct client *c, enum response_code code,
                          const char *desc)
{
    struct open_request *r = TAILQ_FIRST(&c->open.list), *next;

    for (; r; r = next) {
        next = TAILQ_NEXT(r, by_client);
        if (r->held)
            refuse(g, r, code, desc);
    }
}

bool requests_has(const struct client *c, enum purpose purpose)
{
    const struct open_request *r;

    TAILQ_FOREACH(r, &c->open.list, by_client)
        if (r->purpose == purpose)
            return true;
    return false;
}

void requests_acknowledge(struct gateway *g, struct open_request *r)
{
    if (r->wants_ack)
        outgoing_ack(g, r->client, open_request_message_id(r));
    r->wants_ack = false;
}

static void release_next_wish(struct gateway *g, struct client *c)
{
    struct open_request *r = first_wish(c);

    while (r && r->held && !must_be_held(c, r) && !release(g, r))
        r = first_wish(c);
}

void requests_end(struct gateway *g, struct open_request *r)
{
    struct client *c = r->client;
    const bool wish = is_wish(r);

    end(g, r);
    if (wish && c->state != CLIENT_CLOSING)
        release_next_wish(g, c);
}

void requests_end_all(struct gateway *g, struct client *c)
{
    struct open_request *r;

    while ((r = TAILQ_FIRST(&c->open.list)))
        end(g, r);
}
