#include "gateway/conversation/login.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/protocol/close_codes.h"
#include "common/protocol/operations.h"
#include "gateway/conversation/announcements.h"
#include "gateway/conversation/dialect.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/conversation/own.h"
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
    enlist(&g->to_log_in, c, clock_mono_ms() + g->login_timeout_ms);
}

void login_set_timeout(struct gateway *g, int64_t timeout_ms)
{
    const int64_t more_ms = timeout_ms - g->login_timeout_ms;
    struct client *c;

    TAILQ_FOREACH(c, &g->to_log_in, by_due)
        c->due_ms += more_ms;
    g->login_timeout_ms = timeout_ms;
}

static void issue_session(struct gateway *g, struct client *c)
{
    if (c->dialect->has_signed_sessions)
        outgoing_session(g, c);
}

/* Issued anew when half of its time is over. */
static void renew_in_time(struct gateway *g, struct client *c)
{
    if (c->dialect->has_signed_sessions)
        enlist(&g->to_renew, c, clock_mono_ms() + g->keys.max_age_ms / 2);
    else
        delist(c);
}

static void close_late(struct client *c)
{
    client_close(c, CLOSE_NO_LOGIN, "no login in time");
}

static void renew(struct gateway *g, struct client *c)
{
    if (c->state == CLIENT_CLOSING)
        return;
    issue_session(g, c);
    renew_in_time(g, c);
}

void login_tick(struct gateway *g, int64_t now_ms)
{
    struct client *c;

    while ((c = take_due(&g->to_log_in, now_ms)))
        if (c->state != CLIENT_BINDING) /* else it depends on what comes of that: undo() */
            close_late(c);
    while ((c = take_due(&g->to_renew, now_ms)))
        renew(g, c);
}

void login_connect(struct gateway *g, struct client *c)
{
    if (c->state != CLIENT_NEW)
        return;
    client_set_state(c, CLIENT_CONNECTED);
    issue_session(g, c);
}

/* ---- Login ---- */

/* What a login's response tells; texts are owned. */
struct login {
    char *user_id, *token, *device_id;
};

static void login_deinit(struct login *l)
{
    free(l->user_id);
    secret_free(l->token);
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

/* A client id is bound once: whatever is still said to the last one is not for the next. */
static void renew_client_id(struct gateway *g, struct client *c)
{
    c->bound = false;
    clients_remove(g->clients, c);
    session_deinit(&c->session);
    session_init(&c->session);
    clients_add(g->clients, c);
}

static void forget_login(struct gateway *g, struct client *c)
{
    session_logout(&c->session);
    if (c->dialect->stays_after_logout)
        renew_client_id(g, c);
    client_set_state(c, CLIENT_CONNECTED);
}

void login_again(struct gateway *g, struct client *c)
{
    forget_login(g, c);
    login_expect(g, c);
}

/* Back to where a client stands that never logged in; its time to do so goes on. An error does not
 * tell whether the agents have bound it before: a client id that is given up is unbound. */
static void undo(struct gateway *g, struct client *c)
{
    if (c->dialect->stays_after_logout)
        own_farewell(g, "disconnect", &c->session);
    forget_login(g, c);
    requests_refuse_held(g, c, CODE_INVALID_CLIENT, "the login could not be completed");
    if (!c->due_list)
        close_late(c);
}

/* Tells the agents which session is here now. */
static void bind(struct gateway *g, struct client *c, const char *message_id)
{
    const struct operation *o = own_operation(c->returning ? "reconnect" : "connect");
    enum err e = own_start(g, c, o, PURPOSE_BIND, message_id);

    if (!e)
        return;
    outgoing_failure(g, &(struct asked){c, o, message_id}, requests_code(e), requests_reason(e));
    undo(g, c);
}

/* The session has a login: signed anew, then bound. */
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
    r->client->dialect->login(g, r, m);
}

bool login_take(struct gateway *g, struct client *c, const struct msg *m, const char *message_id)
{
    struct login l = {0};
    const bool granted = read_login(m, &l);

    if (granted && c->state == CLIENT_CONNECTED) {
        session_login(&c->session, l.user_id, l.token, l.device_id);
        enter(g, c, false, message_id);
    }
    login_deinit(&l);
    return granted;
}

/* A part of what a returning client has missed: the ConnectResponse comes with the last one. */
static bool is_part(const struct msg *m)
{
    return m->reason && strcmp(m->reason, MSG_REASON_MORE) == 0;
}

bool login_has_bound(const struct msg *m)
{
    return is_part(m) || m->user;
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
    if (login_has_bound(m))
        c->dialect->bound(g, c, m);
    else
        client_send(c, m->body, m->size);
    if (c->state != CLIENT_BINDING)
        return; /* it could not be sent */
    if (!login_has_bound(m)) {
        undo(g, c);
        return;
    }
    client_set_state(c, CLIENT_READY);
    renew_in_time(g, c);
    if (c->unannounced)
        announcements_one(g, c);
    requests_release(g, c);
    if (requests_has(c, PURPOSE_LOGOUT) && c->state == CLIENT_READY)
        client_set_state(c, CLIENT_LEAVING);
}

void login_not_bound(struct gateway *g, struct open_request *r, enum response_code code,
                     const char *desc)
{
    outgoing_failure_of(g, r, code, desc);
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
    own_farewell(g, "disconnect", &s);
    session_deinit(&s);
}

/* ---- Hibernation ---- */

void login_hibernate(struct gateway *g, struct client *c)
{
    enum err e = own_start(g, c, own_operation("hibernate"), PURPOSE_CLIENT, NULL);

    if (e)
        outgoing_error(g, c, NULL, requests_code(e), requests_reason(e));
}

/* ---- The end ---- */

/* While a binding is under way nothing is known of it: login_bound_too_late() follows. */
void login_farewell(struct gateway *g, struct client *c)
{
    if (requests_has(c, PURPOSE_LOGOUT))
        own_farewell(g, "disconnectAuth", &c->session);
    else if (c->bound)
        own_farewell(g, "disconnect", &c->session);
    delist(c);
}
