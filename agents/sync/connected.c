#include "agents/sync/connected.h"

#include <inttypes.h>

#include "common/clock.h"

enum work_step connected_answer(struct work *work, const char *refusal, work_fn *after)
{
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text body = {0}, data = {0};

    if (refusal)
        text_add_json_str(&data, refusal);
    response_begin(&body, &(struct response){.class_name = rq->operation->response_class,
                                             .client = refusal ? NULL : rq->client,
                                             .message_id = rq->message_id,
                                             .data = refusal ? data.at : NULL});
    text_addf(&body, ",\"currentTimestamp\":%" PRId64 ",\"dataID\":null", clock_wall_ms());
    response_end(&body);
    return work_reply_with(work, &body, &(struct msg){.user = refusal ? NULL : rq->user}, after);
}
