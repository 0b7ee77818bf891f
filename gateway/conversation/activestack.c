#include "gateway/dialect/activestack.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "gateway/conversation/dialect.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/conversation/receipts.h"
#include "gateway/conversation/requests.h"
#include "gateway/conversation/returns.h"

/* What a client of ActiveStack says: special messages, requests, refusals. */

#define DEVICE_ID_MAX 255 /* bytes: it travels in a header */

static const char too_many[] = "too many requests of this client in a short time";

static const char *message_id_of(const struct frame *f)
{
    return f->has_message_id ? f->message_id : NULL;
}

/* ---- Special messages ---- */

static void note_delivery(struct client *c, struct json_span content)
{
    if (json_is_true(json_member(content, "ensureMessageDelivery", NULL)))
        c->keeps = true;
}

static void special_connect(struct gateway *g, struct client *c, struct json_span content)
{
    note_delivery(c, content);
    login_connect(g, c);
}

static void special_reconnect(struct gateway *g, struct client *c, struct json_span content)
{
    note_delivery(c, content);
    returns_special(g, c, content);
}

static void special_hibernate(struct gateway *g, struct client *c, struct json_span content)
{
    (void)content;
    if (client_is_logged_in(c))
        login_hibernate(g, c);
    else
        outgoing_error(g, c, NULL, CODE_INVALID_CLIENT, "not logged in");
}

static void special_unknown(struct gateway *g, struct client *c, struct json_span content)
{
    (void)c;
    (void)content;
    metrics_add(g->metrics, METRIC_SPECIAL_UNKNOWN, 1);
}

static void take_special(struct gateway *g, struct client *c, const struct frame *f)
{
    static void (*const takers[])(struct gateway *, struct client *, struct json_span) = {
        [SPECIAL_CONNECT] = special_connect, [SPECIAL_RECONNECT] = special_reconnect,
        [SPECIAL_ACK] = receipts_take_ack,   [SPECIAL_HIBERNATE] = special_hibernate,
        [SPECIAL_UNKNOWN] = special_unknown,
    };
    struct json_walk w = json_walk(f->object);
    enum special special;

    while (activestack_next_special(&w, &special)) {
        if (special == SPECIAL_ACK || client_may_ask(c, clock_mono_ms()))
            takers[special](g, c, w.value);
        else
            outgoing_error(g, c, NULL, CODE_TOO_MANY, too_many);
    }
}

/* ---- Requests ---- */

static void take_error(struct gateway *g, struct client *c, const struct frame *f)
{
    outgoing_error(g, c, message_id_of(f), f->error, text_str(&f->problem));
}

static void take_close(struct gateway *g, struct client *c, const struct frame *f)
{
    (void)g;
    client_close(c, f->close_code, text_str(&f->problem));
}

/* Spliced, because the client waits for its own messageId. */
static void repeat_connect_response(struct client *c, const char *message_id)
{
    _cleanup_(text_deinitp) struct text id = {0};
    const struct json_span whole = json_span_of(c->connect_response);
    const struct json_span old = json_member(whole, "correspondingMessageId", NULL);

    if (!old.at) {
        client_send(c, whole.at, whole.size);
        return;
    }
    text_add_json_str(&id, message_id);
    client_send_pieces(c,
                       (struct client_piece[]){{whole.at, (size_t)(old.at - whole.at)},
                                               {id.at, id.size},
                                               {old.at + old.size, (size_t)(whole.at + whole.size -
                                                                            old.at - old.size)}},
                       3);
}

static void take_connect(struct gateway *g, struct client *c, const struct frame *f)
{
    if (c->state == CLIENT_READY)
        repeat_connect_response(c, message_id_of(f));
    else
        outgoing_error(g, c, message_id_of(f), CODE_INVALID_CLIENT, "not logged in");
}

static void take_return(struct gateway *g, struct client *c, const struct frame *f)
{
    returns_request(g, c, f->object, message_id_of(f));
}

static enum purpose purpose_of(const struct operation *o)
{
    if (o->is_login)
        return PURPOSE_LOGIN;
    if (o->is_receipt)
        return PURPOSE_RECEIPT;
    return strcmp(o->name, "logout") == 0 ? PURPOSE_LOGOUT : PURPOSE_CLIENT;
}

/* False, with the answer given, when this client may not send this now. */
static bool is_admitted(struct gateway *g, struct client *c, const struct frame *f,
                        enum purpose purpose)
{
    const char *message_id = message_id_of(f);

    if (f->operation->needs_login && !client_is_logged_in(c)) {
        outgoing_error(g, c, message_id, CODE_INVALID_CLIENT, "not logged in");
        return false;
    }
    if (f->operation->agent == AGENT_NONE) {
        outgoing_error(g, c, message_id, CODE_NOT_IMPLEMENTED, "no agent serves this operation");
        return false;
    }
    if (purpose != PURPOSE_LOGIN || (c->state == CLIENT_CONNECTED && !requests_has(c, purpose)))
        return true;
    outgoing_error(g, c, message_id, CODE_MALFORMED,
                   c->state == CLIENT_CONNECTED ? "a login is under way" : "already logged in");
    return false;
}

/* The device that a login is for; NULL, with the answer given, when it cannot be one. */
static bool read_device(struct gateway *g, struct client *c, const struct frame *f, char **out)
{
    *out = NULL;
    if (f->operation->needs_login || json_kind(f->device) != JSON_STRING)
        return true;
    if (!json_string(f->device, DEVICE_ID_MAX, out))
        return true;
    outgoing_error(g, c, message_id_of(f), CODE_MALFORMED,
                   "deviceId: expected at most 255 bytes without NUL");
    return false;
}

static void pass_on(struct gateway *g, struct client *c, const struct frame *f,
                    enum purpose purpose)
{
    char *device = NULL;
    enum err e;

    if (!read_device(g, c, f, &device))
        return;
    text_clear(&g->scratch);
    activestack_add_body(f, &c->session, &g->scratch);
    e = requests_start(g, c,
                       &(struct request){.operation = f->operation,
                                         .purpose = purpose,
                                         .message_id = message_id_of(f),
                                         .device = device,
                                         .wants_ack = f->wants_ack,
                                         .body = g->scratch.at,
                                         .size = g->scratch.size});
    free(device);
    if (f->operation->agent == AGENT_AUTH)
        text_wipe(&g->scratch);
    if (e)
        outgoing_error(g, c, message_id_of(f), requests_code(e), requests_reason(e));
    else if (purpose == PURPOSE_LOGOUT && c->state == CLIENT_READY)
        client_set_state(c, CLIENT_LEAVING);
}

static void take_request(struct gateway *g, struct client *c, const struct frame *f)
{
    const enum purpose purpose = purpose_of(f->operation);

    if (!is_admitted(g, c, f, purpose))
        return;
    if (purpose == PURPOSE_RECEIPT)
        receipts_take(g, c, f);
    else
        pass_on(g, c, f, purpose);
}

/* ---- Frames ---- */

/* A first frame that is not special messages connects by itself; those that are do if they do not
 * hold connect or reconnect. A client that is sent away is not connected first, one that returns as
 * what it is then. */
static void connect_implicitly(struct gateway *g, struct client *c, const struct frame *f)
{
    struct json_span connect = {0};

    if (c->state != CLIENT_NEW || f->kind == FRAME_CLOSE || f->kind == FRAME_RETURN)
        return;
    if (f->kind == FRAME_SPECIAL) {
        connect = json_member(f->object, "connect", NULL);
        if (!connect.at)
            connect = json_member(f->object, "reconnect", NULL);
    }
    if (!connect.at)
        login_connect(g, c);
}

/* Receipts are not: they answer what we have sent, and cost little. */
static bool is_counted(const struct frame *f)
{
    if (f->kind == FRAME_REQUEST)
        return !f->operation->is_receipt;
    return f->kind == FRAME_CONNECT || f->kind == FRAME_RETURN || f->kind == FRAME_ERROR;
}

static void take_frame(struct gateway *g, struct client *c, const char *text, size_t size)
{
    static void (*const takers[])(struct gateway *, struct client *, const struct frame *) = {
        [FRAME_REQUEST] = take_request, [FRAME_SPECIAL] = take_special,
        [FRAME_CONNECT] = take_connect, [FRAME_RETURN] = take_return,
        [FRAME_ERROR] = take_error,     [FRAME_CLOSE] = take_close,
    };
    _cleanup_(frame_deinitp) struct frame f = {0};

    activestack_read(text, size, &g->json_limits, &f);
    connect_implicitly(g, c, &f);
    if (is_counted(&f) && !client_may_ask(c, clock_mono_ms()))
        outgoing_error(g, c, message_id_of(&f), CODE_TOO_MANY, too_many);
    else
        takers[f.kind](g, c, &f);
}

/* ---- What it is told ---- */

static void add_error(struct text *out, const struct asked *asked, enum response_code code,
                      const char *desc)
{
    response_error(out, asked->client->session.client_id, asked->message_id, code, desc);
}

/* The response first; the ConnectResponse has no messageId. */
static void login(struct gateway *g, struct open_request *r, const struct msg *m)
{
    client_send(r->client, m->body, m->size);
    (void)login_take(g, r->client, m, NULL);
}

/* It may ask for the ConnectResponse once more. */
static void bound(struct gateway *g, struct client *c, const struct msg *m)
{
    struct text response = {0};

    (void)g;
    client_send(c, m->body, m->size);
    text_add_bytes(&response, m->body, m->size);
    free(c->connect_response);
    c->connect_response = text_steal(&response);
}

static void say_left(struct gateway *g, struct open_request *r, const struct msg *m)
{
    (void)g;
    client_send(r->client, m->body, m->size);
}

const struct dialect dialect_activestack = {
    .name = "activestack",
    .has_signed_sessions = true,
    .take = take_frame,
    .add_error = add_error,
    .login = login,
    .bound = bound,
    .say_left = say_left,
};
