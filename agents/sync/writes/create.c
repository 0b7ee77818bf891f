#include <stdlib.h>
#include <string.h>

#include "agents/sync/operations.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/complete.h"
#include "agents/sync/writes/maker.h"
#include "agents/sync/writes/own_class.h"
#include "agents/sync/writes/write.h"
#include "common/base/secret.h"

/* ---- createObject (spec 3.5): the object as stored, and true ---- */

static void forget_object(void *state)
{
    model_object_deinit(state);
    free(state);
}

static const char *value_of(const void *arg, const struct model_field *field)
{
    const struct model_object *object = arg;

    for (size_t i = 0; i < object->count; i++) {
        if (object->values[i].field == field)
            return object->values[i].text;
    }
    return NULL;
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
                                     const char *id)
{
    _cleanup_(text_deinitp) struct text body = {0}, ref = {0};

    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"theObject\":");
    model_add_object(&body, object->class_, id, value_of, object);
    text_add(&body, ",\"result\":true");
    response_end(&body);

    text_addf(&ref, "%s:%s", object->class_->name, id);
    return overtaken_reply(work, &body, ref.at, 1, redis_str(redis_item(work->call.reply, 1)));
}

static enum work_step create_answer(struct work *work)
{
    const struct model_object *object = work->state;
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

/* Where the client gave no ID: the same request always makes the same one. */
static void make_id(const struct request *rq, struct model_object *object)
{
    _cleanup_(text_deinitp) struct text seed = {0}, id = {0};

    if (rq->message_id) {
        text_addf(&seed, "%s\n%s\n%s", object->class_->name, rq->client, rq->message_id);
        secret_add_derived_uuid(&id, seed.at, seed.size);
    } else {
        secret_add_uuid(&id);
    }
    object->id = text_steal(&id);
}

/* Clients name objects of string ids; the server names the others. */
static bool settle_id(struct work *work, struct model_object *object, enum work_step *step)
{
    enum id_kind kind = object->class_->id;

    if (object->id && kind != ID_STRING) {
        *step = write_refuse(work, 0, "theObject.ID: ids of this class are made by the server");
        return false;
    }
    if (!object->id && kind == ID_ARRAY) {
        *step = write_refuse(work, 0, "theObject: objects of this class are made as children");
        return false;
    }
    if (!object->id && kind == ID_STRING)
        make_id(&work->request, object);
    return true;
}

static enum work_step commit(struct work *work, const struct model_object *object)
{
    write_begin(work, &script_create, object->class_, object->id ? object->id : "", ACTION_CREATE);
    write_add_new(&work->call, object);
    redis_call_arg(&work->call, stored_rule(object->class_, ACTION_READ));
    redis_call_arg(&work->call, stored_rule_field(object->class_, ACTION_READ));
    return work_call(work, create_answer);
}

static enum work_step complete(struct work *work, struct model_object *object, const char *maker)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    const char *missing;

    maker_add(object, maker, work->request.accepted_ms);
    missing = complete_missing(object);
    if (!missing)
        return commit(work, object);
    text_addf(&problem, "Missing required field %s", missing);
    return write_refuse(work, CODE_MISSING_FIELD, problem.at);
}

static enum work_step maker_found(struct work *work)
{
    enum work_step step;
    const char *pair;

    return maker_take(work, &pair, &step) ? complete(work, work->state, pair) : step;
}

static enum work_step ask_maker(struct work *work, struct model_object *object)
{
    if (!maker_is_needed(object->class_))
        return complete(work, object, "");
    maker_ask(work);
    return work_call(work, maker_found);
}

static enum work_step looked_up(struct work *work)
{
    enum work_step step;

    return own_class_take_object(work, work->state, false, &step) ? ask_maker(work, work->state)
                                                                  : step;
}

enum work_step plan_create_object(struct work *work)
{
    struct model_object *object = calloc(1, sizeof(*object));
    enum work_step step;

    if (!object)
        err_out_of_memory();
    work->state = object;
    work->state_destroy = forget_object;
    if (!write_read_object(work, object, &step) || !settle_id(work, object, &step))
        return step;
    complete_add_defaults(object);
    return own_class_ask_object(work, object, false) ? work_call(work, looked_up)
                                                     : ask_maker(work, object);
}
