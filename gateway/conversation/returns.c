#include "gateway/conversation/returns.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/secret.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/conversation/requests.h"

#define TEXT_MAX   1024 /* bytes of a user id or token */
#define DEVICE_MAX 255  /* bytes: it travels in a header */

/* False, with the answer given, when this client cannot return any more. */
static bool may_return(struct gateway *g, struct client *c, const char *message_id)
{
    const bool logged_in = c->state != CLIENT_NEW && c->state != CLIENT_CONNECTED;

    if (!logged_in && !requests_has(c, PURPOSE_LOGIN))
        return true;
    outgoing_error(g, c, message_id, CODE_MALFORMED,
                   logged_in ? "reconnect: already logged in" : "reconnect: a login is under way");
    return false;
}

static void refuse(struct gateway *g, struct client *c, const char *message_id, const char *reason)
{
    login_connect(g, c);
    outgoing_refusal(g, c, message_id, reason);
}

static void come_back(struct gateway *g, struct client *c, const struct session *earlier,
                      const char *message_id)
{
    session_return(&c->session, earlier);
    login_return(g, c, message_id);
}

/* ---- With the signed session ---- */

static const char *reason_of(enum err e)
{
    switch (e) {
    case ERR_REFUSED:
        return "reconnectId: the signed session is not genuine";
    case ERR_TIMEOUT:
        return "reconnectId: the signed session has expired";
    default:
        return "reconnectId: the signed session is malformed";
    }
}

static enum err verify(const struct gateway *g, struct json_span reconnect_id, struct session *out)
{
    _cleanup_(text_deinitp) struct text text = {0};
    enum err e = json_decode(reconnect_id, &text);

    return e ? e : session_verify(text_str(&text), text.size, &g->keys, clock_wall_ms(), out);
}

void returns_special(struct gateway *g, struct client *c, struct json_span content)
{
    _cleanup_(session_deinitp) struct session earlier = {0};
    enum err e;

    if (!may_return(g, c, NULL))
        return;
    e = verify(g, json_member(content, "reconnectId", NULL), &earlier);
    if (e)
        refuse(g, c, NULL, e == ERR_TYPE ? "reconnectId: expected a string" : reason_of(e));
    else if (session_is_logged_in(&earlier))
        come_back(g, c, &earlier, NULL);
    else
        login_connect(g, c);
}

/* ---- With a ReconnectRequest ---- */

static bool is_given(struct json_span value)
{
    return json_kind(value) != JSON_ABSENT && json_kind(value) != JSON_NULL;
}

/* Returns what is wrong, or NULL. An empty text is as good as none (spec 3.3). */
static const char *read_names(struct json_span request, struct session *out)
{
    const struct json_span id = json_member(request, "existingClientId", NULL);
    const struct json_span ids = json_member(request, "existingClientIds", NULL);
    const char *newest;

    if (is_given(ids) && session_read_ids(ids, &out->existing_ids))
        return "existingClientIds: expected an array of client ids";
    if (session_is_client_id(id))
        newest = id.at + 1;
    else if (out->existing_ids && (!is_given(id) || json_string_is(id, "")))
        newest = out->existing_ids + strlen(out->existing_ids) - SECRET_ID_CHARS - 2;
    else
        return "existingClientId: expected a client id";
    memcpy(out->client_id, newest, SECRET_ID_CHARS);
    return NULL;
}

static bool read_text(struct json_span request, const char *name, size_t max, char **out)
{
    return !json_string(json_member(request, name, NULL), max, out) && **out;
}

/* The same, of whoever was logged in. */
static const char *read_login(struct json_span request, struct session *out)
{
    _cleanup_(freep) char *user = NULL, *device = NULL;
    _cleanup_(secret_freep) char *token = NULL;

    if (!read_text(request, "userId", TEXT_MAX, &user))
        return "userId: expected a string";
    if (!read_text(request, "token", TEXT_MAX, &token))
        return "token: expected a string";
    if (is_given(json_member(request, "deviceId", NULL)) &&
        json_string(json_member(request, "deviceId", NULL), DEVICE_MAX, &device))
        return "deviceId: expected at most 255 bytes without NUL";
    session_login(out, user, token, device);
    return NULL;
}

static const char *read_earlier(struct json_span request, struct session *out)
{
    const char *problem = read_login(request, out);

    return problem ? problem : read_names(request, out);
}

void returns_request(struct gateway *g, struct client *c, struct json_span request,
                     const char *message_id)
{
    _cleanup_(session_deinitp) struct session earlier = {0};
    const char *problem;

    if (!may_return(g, c, message_id))
        return;
    problem = read_earlier(request, &earlier);
    if (problem)
        refuse(g, c, message_id, problem);
    else
        come_back(g, c, &earlier, message_id);
}
