#include "agents/sync/jobs/feed.h"

#include <inttypes.h>

#include "agents/runtime/agent.h"
#include "common/base/log.h"

#define ROUTING_KEY_MAX 255 /* AMQP's */

const char *const *feed_exchanges(const struct agent *agent)
{
    static const char *const names[] = {FEED_EXCHANGE, NULL};

    return agent->proc.settings.sync_change_feed ? names : NULL;
}

static const char *kind_of(const struct feed_change *change)
{
    if (change->removed)
        return "removed";
    return change->since == 1 ? "created" : "updated";
}

static void write_body(const struct feed_change *change, struct text *out)
{
    text_add(out, "{\"v\":1,\"className\":");
    text_add_json_str(out, change->ref.class_->name);
    text_add(out, ",\"ID\":");
    text_add_json_str(out, change->ref.id);
    text_addf(out, ",\"version\":%" PRId64 ",\"kind\":\"%s\",\"object\":", change->version,
              kind_of(change));
    if (change->removed)
        text_add(out, "null");
    else
        stored_add_object(out, change->ref, change->fields);
    text_addf(out, ",\"time\":%" PRId64 "}", stored_time(change->fields));
}

void feed_add(struct work *work, const struct feed_change *change)
{
    _cleanup_(text_deinitp) struct text body = {0}, key = {0};

    if (!work->agent->proc.settings.sync_change_feed)
        return;
    text_addf(&key, "%s.%s", change->ref.class_->name, kind_of(change));
    write_body(change, &body);
    if (key.size > ROUTING_KEY_MAX || body.size > AMQP_BODY_LIMIT) {
        log_error("feed.too_large", LOG_STR("key", key.at), LOG_I64("bytes", (int64_t)body.size));
        return; /* trying it again would not make it smaller */
    }
    work_add_out(work, &(struct msg){.exchange = FEED_EXCHANGE,
                                     .queue = key.at,
                                     .type = "change",
                                     .persistent = true,
                                     .body = body.at,
                                     .size = body.size});
}

bool feed_is_taken(const struct work *work)
{
    for (size_t i = 0; i < work->sent_count; i++)
        if (work->sent[i].msg->exchange && work->sent[i].outcome == AMQP_REFUSED)
            return false;
    return true;
}
