#include "gateway/conversation/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/seal.h"
#include "gateway/conversation/announcements.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/logout.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/conversation/receipts.h"
#include "gateway/conversation/requests.h"

/* ---- Plain requests: the reply goes to the client as it is ---- */

static void pass_on(struct gateway *g, struct open_request *r, const struct msg *m)
{
    (void)g;
    if (m->size > 0) /* some operations have no response */
        client_send(r->client, m->body, m->size);
}

/* What an answer leads to. */
static const struct {
    void (*reply)(struct gateway *g, struct open_request *r, const struct msg *m);
    void (*failure)(struct gateway *g, struct open_request *r, enum response_code code,
                    const char *desc);
} purposes[PURPOSE_COUNT] = {
    // clang-format off
    [PURPOSE_CLIENT]   = { pass_on,             outgoing_failure_of     },
    [PURPOSE_LOGIN]    = { login_answered,      outgoing_failure_of     },
    [PURPOSE_RECEIPT]  = { pass_on,             outgoing_failure_of     },
    [PURPOSE_LOGOUT]   = { logout_ended,        logout_not_ended        },
    [PURPOSE_BIND]     = { login_bound,         login_not_bound         },
    [PURPOSE_LEAVE]    = { logout_left,         logout_not_left         },
    [PURPOSE_ALIVE]    = { announcements_lease, announcements_not_heard },
    [PURPOSE_ANNOUNCE] = { announcements_taken, announcements_not_heard },
    [PURPOSE_RECEIPTS] = { receipts_answered,   receipts_failed         },
    // clang-format on
};

/* ---- Replies ---- */

static struct open_request *find(struct gateway *g, const char *correlation_id)
{
    char *end;
    unsigned long long number;

    if (!correlation_id)
        return NULL;
    errno = 0;
    number = strtoull(correlation_id, &end, 10);
    return errno || *end ? NULL : open_requests_find(g->requests, number);
}

/* Nobody waits for it; a binding that it tells of has to be undone some time. */
static void reply_too_late(struct gateway *g, const struct msg *m)
{
    metrics_add(g->metrics, METRIC_REPLIES_LATE, 1);
    if (login_has_bound(m))
        login_bound_too_late(g, m);
}

/* A reply proves that the request is safe, even if the broker's confirm is still under way. */
static void acknowledge(struct gateway *g, struct open_request *r)
{
    if (r->purpose == PURPOSE_RECEIPTS)
        receipts_safe(g, r);
    else
        requests_acknowledge(g, r);
}

/* Is there still somebody for whom the answer makes a difference? */
static bool is_heard(const struct open_request *r)
{
    return !r->client || r->client->state != CLIENT_CLOSING;
}

/* Who asked hears what was answered. */
static void take_reply(struct gateway *g, struct open_request *r, const struct msg *m)
{
    _cleanup_(text_wipep) struct text opened = {0};
    struct msg plain = *m;

    if (seal_is_on(m)) {
        if (seal_open(g->seal, m, &opened)) {
            log_error("reply.sealed", LOG_STR("operation", r->operation->name));
            purposes[r->purpose].failure(g, r, CODE_INTERNAL, "the answer cannot be read");
            return;
        }
        plain.body = text_str(&opened);
        plain.size = opened.size;
    }
    purposes[r->purpose].reply(g, r, &plain);
}

void answers_reply(struct gateway *g, const struct msg *m)
{
    struct open_request *r = find(g, m->correlation_id);

    if (!r) {
        reply_too_late(g, m);
        return;
    }
    metrics_add(g->metrics, METRIC_REPLIES, 1);
    metrics_observe(g->metrics, METRIC_REQUEST_SECONDS, clock_mono_us() - r->started_us);
    if (is_heard(r)) {
        acknowledge(g, r);
        take_reply(g, r, m);
    } else if (r->purpose == PURPOSE_BIND && login_has_bound(m)) {
        login_bound_too_late(g, m);
    }
    requests_end(g, r);
}

/* ---- Failures ---- */

static void fail(struct gateway *g, struct open_request *r, enum response_code code,
                 const char *desc)
{
    log_debug("request.failed", LOG_STR("client", r->client ? r->client->session.client_id : ""),
              LOG_STR("operation", r->operation->name), LOG_I64("code", code));
    if (is_heard(r))
        purposes[r->purpose].failure(g, r, code, desc);
    requests_end(g, r);
}

void answers_unreadable(struct gateway *g, const struct msg *m)
{
    struct open_request *r = find(g, m->correlation_id);

    if (r)
        fail(g, r, CODE_BACK_END_AWAY, "the answer has a format that this gateway does not know");
}

void answers_outcome(struct gateway *g, const struct news *n)
{
    struct open_request *r = open_requests_find(g->requests, n->number);

    if (!r)
        return;
    switch (n->outcome) {
    case AMQP_CONFIRMED:
        acknowledge(g, r);
        break;
    case AMQP_RETURNED:
        fail(g, r, CODE_BACK_END_AWAY, "no agent has ever served this operation");
        break;
    case AMQP_REFUSED:
        fail(g, r, CODE_BACK_END_AWAY, "the broker has no room for this request");
        break;
    }
}

void answers_unsent(struct gateway *g, const struct news *n)
{
    struct open_request *r = open_requests_find(g->requests, n->number);

    if (r)
        fail(g, r, CODE_BACK_END_AWAY, "the broker has been away too long");
}

void answers_tick(struct gateway *g, int64_t now_ms)
{
    struct open_request *r;

    while ((r = open_requests_overdue(g->requests, now_ms)))
        fail(g, r, CODE_TIMEOUT, "no answer in time; the outcome of a write is unknown");
}
