#include "agents/sync/writes/maker.h"

#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/complete.h"

bool maker_is_needed(const struct model_class *c)
{
    for (size_t i = 0; i < c->field_count; i++) {
        if (c->fields[i].server == SERVER_CREATOR)
            return true;
    }
    return false;
}

void maker_ask(struct work *work)
{
    redis_call_begin(&work->call, &script_maker);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, work->request.accepted_ms);
}

bool maker_take(struct work *work, const char **pair, enum work_step *step)
{
    if (refused(work, "the object could not be made", step))
        return false;
    *pair = redis_str(redis_item(work->call.reply, 2));
    return true;
}

static bool add_time(struct model_object *object, const struct model_field *field, int64_t now_ms)
{
    _cleanup_(text_deinitp) struct text time = {0};

    text_add_i64(&time, now_ms);
    model_object_set(object, field, time.at);
    return true;
}

bool maker_add(struct model_object *object, const char *pair, int64_t now_ms)
{
    bool added = false;

    for (size_t i = 0; i < object->class_->field_count; i++) {
        const struct model_field *field = &object->class_->fields[i];

        if (field->server == SERVER_NOW)
            added = add_time(object, field, now_ms) || added;
        else if (field->server == SERVER_CREATOR)
            added = (*pair && complete_add_pair(object, field, pair)) || added;
    }
    return added;
}
