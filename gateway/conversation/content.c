#include "gateway/dialect/content.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/protocol/content.h"
#include "gateway/conversation/dialect.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/conversation/receipts.h"
#include "gateway/conversation/requests.h"

/* What a client of the content protocol says, and what it is told. The agents write each answer
 * whole; the gateway logs in, returns and logs out on the client's behalf, by the operations that
 * ActiveStack has for that. */

#define TOKEN_MAX 1024 /* bytes */

/* Answers to logins and logouts are our agents' work, but an operator may write one by hand. */
static const struct json_limits reply_limits = {JSON_DEPTH_MAX, SIZE_MAX};

/* ---- Errors ---- */

static void say_error(struct gateway *g, struct client *c, const struct content_frame *f, int code,
                      const char *msg)
{
    text_clear(&g->scratch);
    content_add_error(&g->scratch, f->id, f->cls, code, msg);
    client_send(c, g->scratch.at, g->scratch.size);
}

static void refuse(struct gateway *g, struct client *c, const struct content_frame *f,
                   enum response_code code, const char *desc)
{
    _cleanup_(text_deinitp) struct text msg = {0};

    metrics_count_error(g->metrics, code);
    content_add_msg(&msg, code, desc);
    say_error(g, c, f, content_code_of(f->operation, code), text_str(&msg));
}

/* Who asks is not who it would have to be. */
static void deny(struct gateway *g, struct client *c, const struct content_frame *f, int detail,
                 const char *msg)
{
    metrics_count_error(g->metrics, CODE_INVALID_CLIENT);
    say_error(g, c, f, content_code(f->operation, 401, detail), msg);
}

static void add_error(struct text *out, const struct asked *asked, enum response_code code,
                      const char *desc)
{
    _cleanup_(text_deinitp) struct text msg = {0};

    content_add_msg(&msg, code, desc);
    content_add_error(out, asked->message_id, content_cls(asked->operation),
                      content_code_of(asked->operation, code), text_str(&msg));
}

/* ---- Requests ---- */

static void start(struct gateway *g, struct client *c, const struct content_frame *f,
                  enum purpose purpose, struct json_span body)
{
    enum err e = requests_start(g, c,
                                &(struct request){.operation = f->operation,
                                                  .purpose = purpose,
                                                  .message_id = f->id,
                                                  .body = body.at,
                                                  .size = body.size});

    if (e)
        refuse(g, c, f, requests_code(e), requests_reason(e));
}

static void take_any(struct gateway *g, struct client *c, const struct content_frame *f)
{
    if (!client_is_logged_in(c))
        deny(g, c, f, CONTENT_NOT_AUTHENTICATED, "Not Authenticated");
    else if (f->operation->agent == AGENT_NONE)
        refuse(g, c, f, CODE_NOT_IMPLEMENTED, "no agent serves this class");
    else
        start(g, c, f, PURPOSE_CLIENT, f->whole);
}

/* ---- login ---- */

/* False, with the answer given, when this client is not to log in or to return any more. */
static bool may_enter(struct gateway *g, struct client *c, const struct content_frame *f)
{
    if (c->state == CLIENT_CONNECTED && !requests_has(c, PURPOSE_LOGIN))
        return true;
    deny(g, c, f, CONTENT_NOT_AUTHENTICATED, "Already Authenticated");
    return false;
}

/* False, with the answer given, when this member of `data` is no string. */
static bool read_text(struct gateway *g, struct client *c, const struct content_frame *f,
                      const char *name, struct text *out)
{
    const struct json_span member = json_member(f->data, name, NULL);
    _cleanup_(text_deinitp) struct text problem = {0};

    if (!json_decode(member, out))
        return true;
    text_addf(&problem, "data.%s: expected a string, found %s", name,
              json_kind_name(json_kind(member)));
    refuse(g, c, f, CODE_MALFORMED, text_str(&problem));
    return false;
}

/* An AuthenticationRequest with both halves in one credential. */
static void authenticate(struct gateway *g, struct client *c, const struct content_frame *f,
                         struct text *credential)
{
    _cleanup_(text_wipep) struct text body = {0};

    text_add(&body, "{\"cn\":");
    text_add_json_str(&body, f->operation->request_class);
    text_add(&body, ",\"authProvider\":");
    text_add_json_str(&body, g->settings->gateway_content_provider);
    text_add(&body, ",\"credential\":");
    text_add_json(&body, credential->at, credential->size);
    text_add_char(&body, '}');
    start(g, c, f, PURPOSE_LOGIN, json_span_text(&body));
}

/* A colon would move the border between the halves: nobody has such a name. */
static void take_login(struct gateway *g, struct client *c, const struct content_frame *f)
{
    _cleanup_(text_wipep) struct text credential = {0};

    if (!may_enter(g, c, f) || !read_text(g, c, f, "username", &credential))
        return;
    if (credential.size > 0 && memchr(credential.at, ':', credential.size)) {
        deny(g, c, f, CONTENT_DENIED, "Invalid Credential");
        return;
    }
    text_add_char(&credential, ':');
    if (read_text(g, c, f, "password", &credential))
        authenticate(g, c, f, &credential);
}

static bool is_readable(const struct msg *m)
{
    return m->size > 0 && !json_check(m->body, m->size, &reply_limits, NULL);
}

/* An agent's own error is such a frame already. */
static bool is_error(const struct msg *m)
{
    return is_readable(m) &&
           json_string_is(json_member(json_value(m->body, m->size), "type", NULL), "error");
}

/* Why a login was refused, as far as the client may know: the first, unless the agents say more. */
static const struct refusal {
    const char *reason;
    int status, detail;
    const char *msg;
} refusals[] = {
    {"", 401, CONTENT_DENIED, "Invalid Credential"},
    {MSG_REASON_UNKNOWN_USER, 401, CONTENT_UNKNOWN, "User Not Found"},
    {MSG_REASON_TOO_MANY, 429, CONTENT_PLAIN, "Too Many Requests: too many failed attempts"},
};

static const struct refusal *refusal_of(const struct msg *m)
{
    for (size_t i = 1; i < ARRAY_SIZE(refusals); i++) {
        if (m->reason && strcmp(m->reason, refusals[i].reason) == 0)
            return &refusals[i];
    }
    return &refusals[0];
}

/* The result of a login that is granted is the answer to the ConnectRequest, which the agents give
 * that know no tokens. */
static void keep_token(struct client *c, const struct msg *m)
{
    const struct json_span result = json_member(json_value(m->body, m->size), "result", NULL);
    char *token = NULL;

    if (!json_string(json_member(result, "token", NULL), TOKEN_MAX, &token))
        client_keep_token(c, token);
}

static void login(struct gateway *g, struct open_request *r, const struct msg *m)
{
    const struct refusal *refusal = refusal_of(m);
    const char *id = open_request_message_id(r);

    if (login_take(g, r->client, m, id)) {
        keep_token(r->client, m);
        return;
    }
    if (is_error(m)) {
        client_send(r->client, m->body, m->size);
        return;
    }
    text_clear(&g->scratch);
    content_add_error(&g->scratch, id, content_cls(r->operation),
                      content_code(r->operation, refusal->status, refusal->detail), refusal->msg);
    client_send(r->client, g->scratch.at, g->scratch.size);
}

/* ---- reconnect ---- */

/* Only the agents know whose token it is. */
static void take_reconnect(struct gateway *g, struct client *c, const struct content_frame *f)
{
    const struct json_span session = json_member(f->data, "session", NULL);
    char *token = NULL;

    if (!may_enter(g, c, f))
        return;
    if (json_string(session, TOKEN_MAX, &token) || !*token) {
        refuse(g, c, f, CODE_MALFORMED, "data.session: expected the session of a login");
    } else {
        session_login(&c->session, NULL, token, NULL);
        login_return(g, c, f->id);
    }
    free(token);
}

/* The agents leave the place of the token empty that they do not know. */
static struct json_span place_of_token(const struct msg *m)
{
    const struct json_span whole = json_value(m->body, m->size);
    const struct json_span session = json_member(json_member(whole, "data", NULL), "session", NULL);

    return json_kind(session) == JSON_NULL ? session : (struct json_span){0};
}

static void bound(struct gateway *g, struct client *c, const struct msg *m)
{
    const struct json_span place = is_readable(m) ? place_of_token(m) : (struct json_span){0};
    const char *rest = m->body, *end = m->body + m->size;

    text_clear(&g->scratch);
    if (place.at) {
        text_add_bytes(&g->scratch, rest, (size_t)(place.at - rest));
        text_add_json_str(&g->scratch, c->token ? c->token : "");
        rest = place.at + place.size;
    }
    text_add_bytes(&g->scratch, rest, (size_t)(end - rest));
    client_send(c, g->scratch.at, g->scratch.size);
    text_wipe(&g->scratch);
    client_keep_token(c, NULL);
    session_set_user(&c->session, m->user);
}

/* ---- logout ---- */

static void take_logout(struct gateway *g, struct client *c, const struct content_frame *f)
{
    if (!client_is_logged_in(c)) {
        deny(g, c, f, CONTENT_NOT_AUTHENTICATED, "Not Authenticated");
        return;
    }
    start(g, c, f, PURPOSE_LOGOUT, f->whole);
    if (c->state == CLIENT_READY && requests_has(c, PURPOSE_LOGOUT))
        client_set_state(c, CLIENT_LEAVING);
}

static void say_left(struct gateway *g, struct open_request *r, const struct msg *m)
{
    if (is_error(m)) {
        client_send(r->client, m->body, m->size);
        return;
    }
    text_clear(&g->scratch);
    content_add_result(&g->scratch, open_request_message_id(r), content_cls(r->operation), 200,
                       NULL);
    client_send(r->client, g->scratch.at, g->scratch.size);
}

/* ---- What users do with their own accounts ---- */

/* The members of `data` become those of the request, which the auth agents read alike from both
 * protocols. */
static void take_own(struct gateway *g, struct client *c, const struct content_frame *f)
{
    _cleanup_(text_wipep) struct text body = {0};

    if (json_kind(f->data) != JSON_OBJECT && json_kind(f->data) != JSON_ABSENT) {
        refuse(g, c, f, CODE_MALFORMED, "data: expected an object");
        return;
    }
    if (!client_is_logged_in(c)) {
        deny(g, c, f, CONTENT_NOT_AUTHENTICATED, "Not Authenticated");
        return;
    }
    text_add(&body, "{\"cn\":");
    text_add_json_str(&body, f->operation->request_class);
    for (struct json_walk w = json_walk(f->data); json_next(&w);) {
        text_add_char(&body, ',');
        text_add_bytes(&body, w.key.at, w.key.size);
        text_add_char(&body, ':');
        text_add_bytes(&body, w.value.at, w.value.size);
    }
    text_add_char(&body, '}');
    start(g, c, f, PURPOSE_CLIENT, json_span_text(&body));
}

/* ---- Frames ---- */

static void take_nothing(struct gateway *g, struct client *c, const struct content_frame *f)
{
    (void)g;
    (void)c;
    (void)f;
}

/* What the gateway does itself; the agents do the rest. */
static void take_request(struct gateway *g, struct client *c, const struct content_frame *f)
{
    static const struct {
        const char *operation;
        void (*take)(struct gateway *, struct client *, const struct content_frame *);
    } takers[] = {
        {"authenticate", take_login}, {"reconnect", take_reconnect},  {"logout", take_logout},
        {"changePassword", take_own}, {"endOtherSessions", take_own}, {"deleteAccount", take_own},
    };

    for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
        if (strcmp(f->operation->name, takers[i].operation) == 0) {
            takers[i].take(g, c, f);
            return;
        }
    }
    take_any(g, c, f);
}

static void take_answer(struct gateway *g, struct client *c, const struct content_frame *f)
{
    receipts_take_changed(g, c, f->number);
}

static void take_refused(struct gateway *g, struct client *c, const struct content_frame *f)
{
    refuse(g, c, f, CODE_MALFORMED, text_str(&f->problem));
}

static void take_hopeless(struct gateway *g, struct client *c, const struct content_frame *f)
{
    outgoing_error(g, c, NULL, CODE_MALFORMED, text_str(&f->problem));
    client_close(c, f->close_code, text_str(&f->problem));
}

/* Answers are not: they are receipts, and cost little. */
static bool is_counted(const struct content_frame *f)
{
    return f->kind == CONTENT_REQUEST || f->kind == CONTENT_REFUSED;
}

static void take_frame(struct gateway *g, struct client *c, const char *text, size_t size)
{
    static void (*const takers[CONTENT_KIND_COUNT])(struct gateway *, struct client *,
                                                    const struct content_frame *) = {
        [CONTENT_NOTHING] = take_nothing,   [CONTENT_REQUEST] = take_request,
        [CONTENT_ANSWER] = take_answer,     [CONTENT_REFUSED] = take_refused,
        [CONTENT_HOPELESS] = take_hopeless,
    };
    _cleanup_(content_frame_deinitp) struct content_frame f = {0};

    login_connect(g, c);
    content_read(text, size, &g->json_limits, &f);
    if (is_counted(&f) && !client_may_ask(c, clock_mono_ms()))
        refuse(g, c, &f, CODE_TOO_MANY, "too many requests in a short time");
    else
        takers[f.kind](g, c, &f);
}

const struct dialect dialect_content = {
    .name = "content",
    .stays_after_logout = true,
    .take = take_frame,
    .add_error = add_error,
    .login = login,
    .bound = bound,
    .say_left = say_left,
};
