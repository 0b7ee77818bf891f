#include "gateway/conversation/control.h"

#include <string.h>

#include "common/base/log.h"
#include "common/protocol/close_codes.h"

bool control_close(struct gateway *g, const char *client, size_t size, int64_t code)
{
    const struct close_row *row = close_row_of_agents(code);
    struct client *c = clients_find(g->clients, client, size);

    if (c && row)
        client_close(c, (int)code, row->reason);
    return row != NULL;
}

void control_take(struct gateway *g, const struct msg *m)
{
    if (!m->client || !m->reason || strcmp(m->reason, "close") != 0 ||
        !control_close(g, m->client, strlen(m->client), m->code))
        log_warn("control.unknown", LOG_STR("from", m->app_id), LOG_I64("code", m->code));
}
