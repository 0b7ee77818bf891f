#include "gateway/reloaded.h"

#include <stdlib.h>

#include "common/process/settings.h"

enum err reloaded_read(const struct settings *s, struct reloaded **out, struct text *problems)
{
    _cleanup_(reloaded_destroyp) struct reloaded *r = calloc(1, sizeof(*r));
    enum err e;

    if (!r)
        return ERR_NOMEM;
    e = door_rules_read(s, &r->door, problems);
    if (e)
        return e;
    r->max_frame_bytes = (size_t)s->gateway_max_frame_bytes;
    r->requests = (struct rate){s->gateway_max_requests_per_s, s->gateway_max_request_burst};
    r->login_timeout_ms = s->gateway_login_timeout_ms;
    *out = r;
    r = NULL;
    return ERR_OK;
}

void reloaded_destroy(struct reloaded *r)
{
    if (!r)
        return;
    door_rules_deinit(&r->door);
    free(r);
}
