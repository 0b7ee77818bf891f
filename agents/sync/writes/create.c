#include <stdlib.h>
#include <string.h>

#include "agents/sync/operations.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/making.h"
#include "agents/sync/writes/write.h"
#include "agents/sync/writes/write_object.h"

/* ---- createObject (spec 3.5): the object as stored, and true ---- */

static void making_destroy(void *state)
{
    struct making *making = state;

    model_object_deinit(&making->object);
    free(making);
}

/* An object as it was made, and the columns of it that its maker may not see, apart by commas. */
struct made {
    const struct model_object *object;
    const char *hidden;
};

static bool is_among(const char *columns, const char *column)
{
    const size_t size = strlen(column);

    while (*columns) {
        const char *end = strchrnul(columns, ',');

        if ((size_t)(end - columns) == size && !strncmp(columns, column, size))
            return true;
        columns = *end ? end + 1 : end;
    }
    return false;
}

static const char *value_of(const void *arg, const struct model_field *field)
{
    const struct made *made = arg;
    const struct model_value *value = model_object_value(made->object, field);

    if (is_among(made->hidden, field->column))
        return MODEL_HIDDEN;
    return value ? value->text : NULL;
}

/* An object of this class and ID exists: it is the answer, as if created (spec 13, A30). */
static enum work_step answer_existing(struct work *work, const struct model_object *object)
{
    const struct redis_reply *fields = redis_item(work->call.reply, 3);
    _cleanup_(text_deinitp) struct text body = {0}, ref = {0};

    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"theObject\":");
    stored_add_object(&body, (struct stored_ref){object->class_, object->id}, fields);
    text_add(&body, ",\"result\":true");
    response_end(&body);
    text_addf(&ref, "%s:%s", object->class_->name, object->id);
    return overtaken_reply(work, &body, ref.at, stored_version(fields),
                           redis_str(redis_item(work->call.reply, 1)));
}

/* The ID is the client's, ours, or the next integer that the commit has taken. */
static enum work_step answer_created(struct work *work, const struct model_object *object,
                                     const char *said)
{
    _cleanup_(text_deinitp) struct text body = {0}, ref = {0};
    const char *end = strchrnul(said, '\n');
    _cleanup_(freep) char *id = strndup(said, (size_t)(end - said));
    const struct made made = {object, *end ? end + 1 : end};

    if (!id)
        err_out_of_memory();

    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"theObject\":");
    model_add_object(&body, object->class_, id, value_of, &made);
    text_add(&body, ",\"result\":true");
    response_end(&body);

    text_addf(&ref, "%s:%s", object->class_->name, id);
    return overtaken_reply(work, &body, ref.at, 1, redis_str(redis_item(work->call.reply, 1)));
}

static enum work_step create_answer(struct work *work)
{
    const struct making *making = work->state;
    const struct model_object *object = &making->object;
    const struct redis_reply *r = work->call.reply;
    enum work_step step;
    const char *outcome;

    if (write_ended(work, &outcome, &step))
        return step;
    if (!strcmp(outcome, "existing"))
        return answer_existing(work, object);
    if (!strcmp(outcome, "ok")) {
        write_start_jobs(work);
        return answer_created(work, object, redis_str(redis_item(r, 2)));
    }
    return answer_created(work, object, strchr(outcome, ' ') + 1);
}

static bool settle_id(struct work *work, struct making *making, enum work_step *step)
{
    const char *why = making_settle_id(&making->object, &work->request, "");
    _cleanup_(text_deinitp) struct text message = {0};

    if (!why)
        return true;
    text_addf(&message, "theObject%s", why);
    *step = write_refuse(work, 0, message.at);
    return false;
}

static enum work_step commit(struct work *work)
{
    const struct making *making = work->state;
    const struct model_object *object = &making->object;

    write_begin(work, &script_create, object->class_, object->id ? object->id : "", ACTION_CREATE);
    write_add_new(&work->call, object);
    rights_add_guards_new(&work->call, object, making->given);
    return work_call(work, create_answer);
}

enum work_step plan_create_object(struct work *work)
{
    struct making *making = calloc(1, sizeof(*making));
    const struct json_span given = json_member(work->request.body, "theObject", NULL);
    enum work_step step;

    if (!making)
        err_out_of_memory();
    making->path = "theObject";
    making->commit = commit;
    work->state = making;
    work->state_destroy = making_destroy;
    if (!write_read_object(work, given, "theObject", &making->object, &step) ||
        !settle_id(work, making, &step))
        return step;
    return making_begin(work);
}
