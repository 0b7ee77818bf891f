#include <stdlib.h>
#include <string.h>

#include "agents/sync/operations.h"
#include "agents/sync/overtaken.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"

/* ---- findById: the object or null; what is found is watched from that version (spec 3.4) ---- */

static enum work_step find_by_id_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const struct redis_reply *fields = redis_item(r, 3);
    _cleanup_(text_deinitp) struct text body = {0};

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the object could not be read");
    if (redis_str(redis_item(r, 0))[0] == 'c')
        return work_error(work, CODE_INVALID_CLIENT, "this client is not known; log in");
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"result\":");
    if (!fields) {
        text_add(&body, "null");
        response_end(&body);
        return work_reply(work, &body, NULL);
    }
    stored_add_object(&body, stored_ref(work->agent->model, redis_str(redis_item(r, 2))), fields);
    response_end(&body);
    return overtaken_reply(work, &body, redis_str(redis_item(r, 2)), stored_version(fields),
                           redis_str(redis_item(r, 1)));
}

enum work_step plan_find_by_id(struct work *work)
{
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text problem = {0}, ref = {0};
    _cleanup_(freep) char *name = NULL, *id = NULL;
    const struct model_class *c;

    if (request_string(rq, "theClassName", 512, &name, &problem) ||
        request_string(rq, "theClassId", 512, &id, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    c = model_class(work->agent->model, name, strlen(name));
    if (!c)
        return work_error(work, CODE_MISSING_CLASS, "theClassName: the model has no such class");
    redis_call_begin(&work->call, &script_read);
    redis_call_arg(&work->call, rq->client);
    redis_call_arg_i64(&work->call, rq->accepted_ms);
    for (size_t i = 0; i < c->concrete_count; i++) {
        text_clear(&ref);
        text_addf(&ref, "%s:%s", c->concrete[i]->name, id);
        redis_call_arg(&work->call, ref.at);
        redis_call_arg(&work->call, stored_rule(c->concrete[i], ACTION_READ));
        redis_call_arg(&work->call, stored_rule_field(c->concrete[i], ACTION_READ));
    }
    return work_call(work, find_by_id_answer);
}
