#include "gateway/conversation/control.h"

#include <string.h>

#include "common/base/log.h"

static const char *reason_of(int64_t code)
{
    static const struct {
        int code;
        const char *reason;
    } reasons[] = {
        {4001, "taken over"},
        {4002, "revoked"},
        {4005, "session ended"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    return NULL;
}

bool control_close(struct gateway *g, const char *client, size_t size, int64_t code)
{
    const char *reason = reason_of(code);
    struct client *c = clients_find(g->clients, client, size);

    if (c && reason)
        client_close(c, (int)code, reason);
    return reason != NULL;
}

void control_take(struct gateway *g, const struct msg *m)
{
    if (!m->client || !m->reason || strcmp(m->reason, "close") != 0 ||
        !control_close(g, m->client, strlen(m->client), m->code))
        log_warn("control.unknown", LOG_STR("from", m->app_id), LOG_I64("code", m->code));
}
