#include "gateway/conversation/login.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/operations.h"
#include "gateway/conversation/announcements.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/conversation/pushes.h"
#include "gateway/conversation/requests.h"

#define ID_MAX 1024 /* bytes of a user id, token or device id */

/* Replies are our agents' work, but an operator may write one by hand. */
static const struct json_limits reply_limits = {JSON_DEPTH_MAX, SIZE_MAX};

/* ---- Lists of what falls due; all entries of a list have the same time, so it is in order ---- */

static void enlist(struct client_list *list, struct client *c, int64_t due_ms)
{
    if (c->due_list)
        TAILQ_REMOVE(c->due_list, c, by_due);
    c->due_list = list;
    c->due_ms = due_ms;
    TAILQ_INSERT_TAIL(list, c, by_due);
}

static void delist(struct client *c)
{
    if (c->due_list)
        TAILQ_REMOVE(c->due_list, c, by_due);
    c->due_list = NULL;
}

static struct client *take_due(struct client_list *list, int64_t now_ms)
{
    struct client *c = TAILQ_FIRST(list);

    if (!c || c->due_ms > now_ms)
        return NULL;
    delist(c);
    return c;
}

void login_expect(struct gateway *g, struct client *c)
{
    enlist(&g->to_log_in, c, clock_mono_ms() + g->settings->gateway_login_timeout_ms);
}

/* Issued anew when half of its time is over. */
static void issue_session(struct gateway *g, struct client *c)
{
    outgoing_session(g, c);
    if (session_is_logged_in(&c->session))
        enlist(&g->to_renew, c, clock_mono_ms() + g->keys.max_age_ms / 2);
}

void login_tick(struct gateway *g, int64_t now_ms)
{
    struct client *c;

    while ((c = take_due(&g->to_log_in, now_ms)))
        client_close(c, 4004, "no login in time");
    while ((c = take_due(&g->to_renew, now_ms)))
        if (c->state != CLIENT_CLOSING)
            issue_session(g, c);
}

void login_connect(struct gateway *g, struct client *c)
{
    if (c->state != CLIENT_NEW)
        return;
    client_set_state(c, CLIENT_CONNECTED);
    issue_session(g, c);
}

/* ---- Requests of our own ---- */

static void add_member(struct text *out, const char *name, const char *value)
{
    text_addf(out, ",\"%s\":", name);
    text_add_json_str(out, value ? value : "");
}

/* What the session was called before, which only a return says. */
static void add_existing(struct text *out, const struct session *s)
{
    add_member(out, "existingClientId", s->existing_id);
    text_addf(out, ",\"existingClientIds\":%s", s->existing_ids ? s->existing_ids : "[]");
}

/* All members always, in the order of the seed; what is not known is empty (spec 13, A35). */
static void add_request(struct text *out, const struct operation *o, const struct session *s)
{
    text_add(out, "{\"cn\":");
    text_add_json_str(out, o->request_class);
    if (strcmp(o->name, "reconnect") == 0)
        add_existing(out, s);
    add_member(out, "clientId", s->client_id);
    add_member(out, "deviceId", s->device_id);
    add_member(out, "token", s->token);
    add_member(out, "userId", s->user_id);
    text_add_char(out, '}');
}

static enum err start_own(struct gateway *g, struct client *c, const char *operation,
                          enum purpose purpose, const char *message_id)
{
    _cleanup_(text_deinitp) struct text body = {0};
    const struct operation *o = operation_by_name(operation, strlen(operation));

    add_request(&body, o, &c->session);
    return requests_start(g, c,
                          &(struct request){.operation = o,
                                            .purpose = purpose,
                                            .message_id = message_id,
                                            .body = body.at,
                                            .size = body.size});
}

/* For a session that no longer has a socket here. */
static void publish_farewell(struct gateway *g, const char *operation, const struct session *s)
{
    _cleanup_(text_deinitp) struct text body = {0};
    const struct operation *o = operation_by_name(operation, strlen(operation));

    add_request(&body, o, s);
    requests_publish_only(
        g, o->name,
        &(struct msg){.client = s->client_id, .user = s->user_id, .device = s->device_id}, &body);
}

/* ---- Login ---- */

/* What a login's response tells; texts are owned. */
struct login {
    char *user_id, *token, *device_id;
};

static void login_deinit(struct login *l)
{
    free(l->user_id);
    free(l->token);
    free(l->device_id);
}

/* NULL when it is absent, no string, or empty. */
static char *read_text(struct json_span object, const char *name)
{
    char *value = NULL;

    if (json_string(json_member(object, name, NULL), ID_MAX, &value))
        return NULL;
    if (*value)
        return value;
    free(value);
    return NULL;
}

/* A UserToken as `result` (spec 8.2). Without a user it is a refusal. */
static bool read_login(const struct msg *m, struct login *out)
{
    struct json_span result, user;

    if (m->size == 0 || json_check(m->body, m->size, &reply_limits, NULL))
        return false;
    result = json_member(json_value(m->body, m->size), "result", NULL);
    user = json_member(result, "user", NULL);
    out->user_id = read_text(user, "ID");
    if (!out->user_id)
        out->user_id = read_text(user, "id");
    out->token = read_text(result, "token");
    out->device_id = read_text(result, "deviceId");
    return out->user_id != NULL;
}

/* Back to where a client stands that never logged in. */
static void undo(struct gateway *g, struct client *c)
{
    session_logout(&c->session);
    client_set_state(c, CLIENT_CONNECTED);
    login_expect(g, c);
    requests_refuse_held(g, c, CODE_INVALID_CLIENT, "the login could not be completed");
}

/* Tells the agents which session is here now. */
static void bind(struct gateway *g, struct client *c, const char *message_id)
{
    enum err e = start_own(g, c, c->returning ? "reconnect" : "connect", PURPOSE_BIND, message_id);

    if (!e)
        return;
    outgoing_error(g, c, message_id, requests_code(e), requests_reason(e));
    undo(g, c);
}

/* The session has a user: signed anew, then bound. */
static void enter(struct gateway *g, struct client *c, bool returning, const char *message_id)
{
    if (c->state == CLIENT_NEW)
        client_set_state(c, CLIENT_CONNECTED);
    client_set_state(c, CLIENT_BINDING);
    issue_session(g, c);
    c->returning = returning;
    c->replaying = c->unannounced = false;
    bind(g, c, message_id);
}

void login_return(struct gateway *g, struct client *c, const char *message_id)
{
    enter(g, c, true, message_id);
}

void login_answered(struct gateway *g, struct open_request *r, const struct msg *m)
{
    struct client *c = r->client;
    struct login l = {0};

    client_send(c, m->body, m->size);
    if (read_login(m, &l) && c->state == CLIENT_CONNECTED) {
        session_login(&c->session, l.user_id, l.token, l.device_id);
        enter(g, c, false, NULL);
    }
    login_deinit(&l);
}

/* A part of what a returning client has missed: the ConnectResponse comes with the last one. */
static bool is_part(const struct msg *m)
{
    return m->reason && strcmp(m->reason, "more") == 0;
}

/* A ConnectResponse without a client id says that the login is no longer good. */
static bool is_connect_response(const struct msg *m)
{
    struct json_span body;

    if (json_check(m->body, m->size, &reply_limits, NULL))
        return false;
    body = json_value(m->body, m->size);
    return json_kind(json_member(body, "clientId", NULL)) == JSON_STRING &&
           json_string_is(json_member(body, "cn", NULL), SYNC_CLASS("ConnectResponse"));
}

bool login_has_bound(const struct msg *m)
{
    return is_part(m) || is_connect_response(m);
}

static void keep_connect_response(struct client *c, const struct msg *m)
{
    struct text response = {0};

    text_add_bytes(&response, m->body, m->size);
    free(c->connect_response);
    c->connect_response = text_steal(&response);
}

/* The next part is asked for when this one has left, so that a client is never sent more than it
 * reads. */
static void tell_part(struct gateway *g, struct open_request *r, const struct msg *m)
{
    struct client *c = r->client;
    const char *message_id = open_request_message_id(r);

    c->replaying = true;
    free(c->return_id);
    c->return_id = message_id ? strdup(message_id) : NULL;
    if (message_id && !c->return_id)
        err_out_of_memory();
    pushes_deliver(g, m);
    if (!client_next_frame(c))
        login_emptied(g, c);
}

void login_emptied(struct gateway *g, struct client *c)
{
    if (!c->replaying || c->state != CLIENT_BINDING)
        return;
    c->replaying = false;
    bind(g, c, c->return_id);
}

void login_bound(struct gateway *g, struct open_request *r, const struct msg *m)
{
    struct client *c = r->client;

    c->bound |= login_has_bound(m);
    if (is_part(m)) {
        tell_part(g, r, m);
        return;
    }
    client_send(c, m->body, m->size);
    if (c->state != CLIENT_BINDING)
        return; /* it could not be sent */
    if (!is_connect_response(m)) {
        undo(g, c);
        return;
    }
    keep_connect_response(c, m);
    client_set_state(c, CLIENT_READY);
    if (c->unannounced)
        announcements_one(g, c);
    requests_release(g, c);
    if (requests_has(c, PURPOSE_LOGOUT) && c->state == CLIENT_READY)
        client_set_state(c, CLIENT_LEAVING);
}

void login_not_bound(struct gateway *g, struct open_request *r, enum response_code code,
                     const char *desc)
{
    outgoing_error(g, r->client, open_request_message_id(r), code, desc);
    if (r->client->state == CLIENT_BINDING)
        undo(g, r->client);
}

void login_bound_too_late(struct gateway *g, const struct msg *m)
{
    const size_t size = m->client ? strlen(m->client) : 0;
    struct client *c = clients_find(g->clients, m->client, size);
    struct session s = {0};

    if (c)
        c->bound = true; /* its farewell says so */
    if (c || size != SECRET_ID_CHARS)
        return;
    session_login(&s, m->user, NULL, m->device);
    memcpy(s.client_id, m->client, sizeof(s.client_id));
    publish_farewell(g, "disconnect", &s);
    session_deinit(&s);
}

/* ---- Hibernation ---- */

void login_hibernate(struct gateway *g, struct client *c)
{
    enum err e = start_own(g, c, "hibernate", PURPOSE_CLIENT, NULL);

    if (e)
        outgoing_error(g, c, NULL, requests_code(e), requests_reason(e));
}

/* ---- Logout: first the session's end, then the token's, then the socket's ---- */

void login_logged_out(struct gateway *g, struct open_request *r, const struct msg *m)
{
    struct client *c = r->client;
    const char *message_id = open_request_message_id(r);
    enum err e;

    if (m->size > 0) { /* an error of the agent's: nothing has ended */
        client_send(c, m->body, m->size);
        if (c->state == CLIENT_LEAVING)
            client_set_state(c, CLIENT_READY);
        return;
    }
    c->bound = false;
    e = start_own(g, c, "disconnectAuth", PURPOSE_LEAVE, message_id);
    if (e)
        login_not_left(g, r, requests_code(e), requests_reason(e));
}

void login_not_logged_out(struct gateway *g, struct open_request *r, enum response_code code,
                          const char *desc)
{
    outgoing_error(g, r->client, open_request_message_id(r), code, desc);
    if (r->client->state == CLIENT_LEAVING)
        client_set_state(r->client, CLIENT_READY);
}

void login_left(struct gateway *g, struct open_request *r, const struct msg *m)
{
    (void)g;
    client_send(r->client, m->body, m->size);
    client_close(r->client, 1000, "logged out");
}

void login_not_left(struct gateway *g, struct open_request *r, enum response_code code,
                    const char *desc)
{
    outgoing_error(g, r->client, open_request_message_id(r), code, desc);
    client_close(r->client, 1000, "logged out");
}

/* ---- The end ---- */

/* While a binding is under way nothing is known of it: login_bound_too_late() follows. */
void login_farewell(struct gateway *g, struct client *c)
{
    if (requests_has(c, PURPOSE_LOGOUT))
        publish_farewell(g, "disconnectAuth", &c->session);
    else if (c->bound)
        publish_farewell(g, "disconnect", &c->session);
    delist(c);
}
