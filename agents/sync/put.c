#include <stdlib.h>

#include "agents/sync/operations.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/write.h"

/* ---- putObject (spec 3.5; design section 8, "Merge by field") ---- */

/* When the client made the change; the gateway's time where it does not say. */
static bool read_put_time(struct work *work, int64_t *time, enum work_step *step)
{
    struct json_span given = json_member(work->request.body, "putTimestamp", NULL);
    enum json_kind kind = json_kind(given);

    *time = 0;
    if (kind != JSON_ABSENT && kind != JSON_NULL && json_int64(given, time)) {
        *step = work_error(work, CODE_MALFORMED,
                           "putTimestamp: expected milliseconds as an integer, or null");
        return false;
    }
    if (*time <= 0)
        *time = work->request.accepted_ms;
    return true;
}

enum work_step plan_put_object(struct work *work)
{
    _cleanup_(model_object_deinit) struct model_object object = {0};
    struct text ref = {0};
    enum work_step step;
    int64_t time;

    if (!read_put_time(work, &time, &step) || !write_read_object(work, &object, &step))
        return step;
    if (!object.id)
        return work_error(work, CODE_MALFORMED, "theObject.ID: expected the object's ID");
    text_addf(&ref, "%s:%s", object.class_->name, object.id);
    work->state = text_steal(&ref);
    work->state_destroy = free;
    write_begin(work, &script_put, object.class_, object.id, ACTION_UPDATE);
    redis_call_arg_i64(&work->call, time);
    write_add_object(work, &object, true);
    return work_call(work, write_answer);
}
