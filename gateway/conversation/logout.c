#include "gateway/conversation/logout.h"

#include "common/protocol/close_codes.h"
#include "gateway/conversation/dialect.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/conversation/own.h"
#include "gateway/conversation/requests.h"

/* Nothing of the session is left. */
static void leave(struct gateway *g, struct client *c)
{
    if (!c->dialect->stays_after_logout)
        client_close(c, CLOSE_NORMAL, "logged out");
    else if (c->state == CLIENT_LEAVING)
        login_again(g, c);
}

void logout_ended(struct gateway *g, struct open_request *r, const struct msg *m)
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
    e = own_start(g, c, own_operation("disconnectAuth"), PURPOSE_LEAVE, message_id);
    if (e)
        logout_not_left(g, r, requests_code(e), requests_reason(e));
}

void logout_not_ended(struct gateway *g, struct open_request *r, enum response_code code,
                      const char *desc)
{
    outgoing_failure_of(g, r, code, desc);
    if (r->client->state == CLIENT_LEAVING)
        client_set_state(r->client, CLIENT_READY);
}

void logout_left(struct gateway *g, struct open_request *r, const struct msg *m)
{
    r->client->dialect->say_left(g, r, m);
    leave(g, r->client);
}

void logout_not_left(struct gateway *g, struct open_request *r, enum response_code code,
                     const char *desc)
{
    outgoing_failure_of(g, r, code, desc);
    leave(g, r->client);
}
