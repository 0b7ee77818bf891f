#include "agents/sync/sessions/keep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/log.h"

static enum work_step kept(struct work *work)
{
    return work_begin(work);
}

enum work_step plan_keep(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text request = {0};

    text_addf(&request, "0 %" PRId64 " %s %s\n", rq->accepted_ms, rq->client, rq->msg->queue);
    text_add_bytes(&request, rq->body.at, rq->body.size);
    redis_call_begin(&work->call, &script_keep);
    redis_call_arg(&work->call, rq->client);
    redis_call_arg_i64(&work->call, rq->accepted_ms);
    redis_call_arg(&work->call, rq->message_id);
    redis_call_arg_bytes(&work->call, request.at, request.size);
    redis_call_arg_i64(&work->call, clock_wall_ms() + settings->sync_reply_repeat_ms);
    redis_call_arg_i64(&work->call, settings->sync_max_open_replies);
    redis_call_arg_i64(&work->call, settings->sync_max_open_bytes);
    return work_call(work, kept);
}

/* Client ids and operations have no blanks. */
#define WORD_MAX 63

void keep_answer_again(const struct work *work, const char *message_id, const char *request,
                       const struct push_to *to)
{
    const char *body = strchr(request, '\n');
    char client[WORD_MAX + 1], operation[WORD_MAX + 1];
    int64_t accepted_ms;

    if (!body || sscanf(request, "%" SCNd64 " %63s %63s", &accepted_ms, client, operation) != 3) {
        log_error("request.unreadable", LOG_STR("message", message_id));
        return;
    }
    work_again(work,
               &(struct msg){.queue = operation,
                             .type = operation,
                             .message_id = message_id,
                             .client = client,
                             .reply_to = to->gateway,
                             .accepted_ms = accepted_ms,
                             .body = body + 1,
                             .size = strlen(body + 1)},
               to->client);
}
