#include "agents/sync/writes/put.h"

#include <stdlib.h>

#include "agents/sync/operations.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/own_class.h"
#include "agents/sync/writes/write.h"
#include "agents/sync/writes/write_object.h"

void put_begin(struct work *work, const struct put *put)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct model_object *object = put->object;

    write_begin(work, &script_put, object->class_, object->id, ACTION_UPDATE);
    redis_call_arg_i64(&work->call, put->time);
    write_add_object(&work->call, object);
    rights_add_guards(&work->call, object);
    redis_call_arg(&work->call, put->state);
    redis_call_arg_i64(&work->call, put->tells_writer);
    redis_call_arg_i64(&work->call, settings->sync_json_history_kept);
    redis_call_arg_i64(&work->call, settings->sync_json_history_bytes);
}

bool put_read_time(struct work *work, const char *member, int64_t *time, enum work_step *step)
{
    struct json_span given = json_member(work->request.body, member, NULL);
    enum json_kind kind = json_kind(given);
    _cleanup_(text_deinitp) struct text problem = {0};

    *time = 0;
    if (kind != JSON_ABSENT && kind != JSON_NULL && json_int64(given, time)) {
        text_addf(&problem, "%s: expected milliseconds as an integer, or null", member);
        *step = work_error(work, CODE_MALFORMED, problem.at);
        return false;
    }
    if (*time <= 0)
        *time = work->request.accepted_ms;
    return true;
}

/* ---- putObject (spec 3.5; design section 8, "Merge by field") ---- */

struct put_object {
    struct model_object object;
    int64_t time;
    struct text ref; /* of the object's own class */
};

static void put_destroy(void *state)
{
    struct put_object *put = state;

    model_object_deinit(&put->object);
    text_deinit(&put->ref);
    free(put);
}

static enum work_step committed(struct work *work)
{
    const struct put_object *put = work->state;

    return write_answer(work, put->ref.at);
}

static enum work_step commit(struct work *work, struct put_object *put)
{
    const struct model_object *object = &put->object;

    text_addf(&put->ref, "%s:%s", object->class_->name, object->id);
    put_begin(work, &(struct put){.object = object, .time = put->time, .state = ""});
    return work_call(work, committed);
}

static enum work_step looked_up(struct work *work)
{
    struct put_object *put = work->state;
    enum work_step step;

    return own_class_take_object(work, &put->object, true, &step) ? commit(work, put) : step;
}

enum work_step plan_put_object(struct work *work)
{
    struct put_object *put = calloc(1, sizeof(*put));
    const struct json_span given = json_member(work->request.body, "theObject", NULL);
    enum work_step step;

    if (!put)
        err_out_of_memory();
    work->state = put;
    work->state_destroy = put_destroy;
    if (!put_read_time(work, "putTimestamp", &put->time, &step) ||
        !write_read_object(work, given, "theObject", &put->object, &step))
        return step;
    if (!put->object.id)
        return work_error(work, CODE_MALFORMED, "theObject.ID: expected the object's ID");
    return own_class_ask_object(work, &put->object, true) ? work_call(work, looked_up)
                                                          : commit(work, put);
}
