#include "gateway/conversation/own.h"

#include <string.h>

#include "gateway/conversation/requests.h"

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

const struct operation *own_operation(const char *name)
{
    return operation_by_name(name, strlen(name));
}

enum err own_start(struct gateway *g, struct client *c, const struct operation *o,
                   enum purpose purpose, const char *message_id)
{
    _cleanup_(text_deinitp) struct text body = {0};

    add_request(&body, o, &c->session);
    return requests_start(g, c,
                          &(struct request){.operation = o,
                                            .purpose = purpose,
                                            .message_id = message_id,
                                            .body = body.at,
                                            .size = body.size});
}

void own_farewell(struct gateway *g, const char *operation, const struct session *s)
{
    _cleanup_(text_deinitp) struct text body = {0};
    const struct operation *o = own_operation(operation);

    add_request(&body, o, s);
    requests_publish_only(
        g, o, &(struct msg){.client = s->client_id, .user = s->user_id, .device = s->device_id},
        &body);
}
