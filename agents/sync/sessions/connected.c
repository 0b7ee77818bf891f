#include "agents/sync/sessions/connected.h"

enum work_step connected_answer(struct work *work, const char *refusal, work_fn *after)
{
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text body = {0}, data = {0};

    if (refusal)
        text_add_json_str(&data, refusal);
    response_connect(&body, refusal ? NULL : rq->client, rq->message_id, refusal ? data.at : NULL);
    return work_reply_with(work, &body, &(struct msg){.user = refusal ? NULL : rq->user}, after);
}
