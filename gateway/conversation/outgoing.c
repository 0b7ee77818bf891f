#include "gateway/conversation/outgoing.h"

#include "common/base/clock.h"
#include "gateway/dialect/activestack.h"

void outgoing_session(struct gateway *g, struct client *c)
{
    _cleanup_(text_deinitp) struct text signed_session = {0};

    session_sign(&c->session, &g->keys, clock_wall_ms(), &signed_session);
    text_clear(&g->scratch);
    activestack_add_session(&g->scratch, text_str(&signed_session));
    client_send(c, g->scratch.at, g->scratch.size);
}

void outgoing_ack(struct gateway *g, struct client *c, const char *message_id)
{
    text_clear(&g->scratch);
    activestack_add_ack(&g->scratch, message_id);
    client_send(c, g->scratch.at, g->scratch.size);
}

void outgoing_failure(struct gateway *g, const struct asked *asked, enum response_code code,
                      const char *desc)
{
    struct client *c = asked->client;

    metrics_count_error(g->metrics, code);
    text_clear(&g->scratch);
    c->dialect->add_error(&g->scratch, asked, code, desc);
    client_send(c, g->scratch.at, g->scratch.size);
}

void outgoing_failure_of(struct gateway *g, struct open_request *r, enum response_code code,
                         const char *desc)
{
    outgoing_failure(g, &(struct asked){r->client, r->operation, open_request_message_id(r)}, code,
                     desc);
}

void outgoing_error(struct gateway *g, struct client *c, const char *message_id,
                    enum response_code code, const char *desc)
{
    outgoing_failure(g, &(struct asked){.client = c, .message_id = message_id}, code, desc);
}

void outgoing_refusal(struct gateway *g, struct client *c, const char *message_id,
                      const char *reason)
{
    _cleanup_(text_deinitp) struct text data = {0};

    text_add_json_str(&data, reason);
    text_clear(&g->scratch);
    response_connect(&g->scratch, NULL, message_id, text_str(&data));
    client_send(c, g->scratch.at, g->scratch.size);
}
