#include "agents/sync/writes/making.h"

#include "agents/sync/writes/complete.h"
#include "agents/sync/writes/maker.h"
#include "agents/sync/writes/own_class.h"
#include "agents/sync/writes/write.h"
#include "agents/sync/writes/write_object.h"
#include "common/base/secret.h"

void making_add_id(struct model_object *object, const struct request *rq, const char *place)
{
    _cleanup_(text_deinitp) struct text seed = {0}, id = {0};

    if (rq->message_id) {
        text_addf(&seed, "%s\n%s\n", object->class_->name, rq->client);
        write_add_result_name(&seed, rq);
        text_add(&seed, place);
        secret_add_derived_uuid(&id, seed.at, seed.size);
    } else {
        secret_add_uuid(&id);
    }
    object->id = text_steal(&id);
}

const char *making_settle_id(struct model_object *object, const struct request *rq,
                             const char *place)
{
    enum id_kind kind = object->class_->id;

    if (object->id && kind != ID_STRING)
        return ".ID: ids of this class are made by the server";
    if (!object->id && kind == ID_ARRAY)
        return ": objects of this class are made as children";
    if (!object->id && kind == ID_STRING)
        making_add_id(object, rq, place);
    return NULL;
}

bool making_fill(struct model_object *object, const char *maker, int64_t accepted_ms)
{
    const size_t asked = object->count;
    bool is_set;

    complete_add_defaults(object);
    is_set = maker_add(object, maker, accepted_ms);
    return is_set || object->count > asked;
}

static enum work_step complete(struct work *work, const char *maker)
{
    struct making *making = work->state;
    _cleanup_(text_deinitp) struct text problem = {0};
    const char *missing;

    making->given = making->object.count;
    making->added = making_fill(&making->object, maker, work->request.accepted_ms);
    if (!write_check_lists(work, &making->object, making->path, &problem)) /* with the maker */
        return write_refuse(work, 0, text_str(&problem));
    missing = making->may_exist ? NULL : complete_missing(&making->object);
    if (!missing)
        return making->commit(work);
    text_addf(&problem, "Missing required field %s", missing);
    return write_refuse(work, CODE_MISSING_FIELD, problem.at);
}

static enum work_step maker_found(struct work *work)
{
    enum work_step step;
    const char *pair;

    return maker_take(work, &pair, &step) ? complete(work, pair) : step;
}

static enum work_step ask_maker(struct work *work)
{
    const struct making *making = work->state;

    if (!maker_is_needed(making->object.class_))
        return complete(work, "");
    maker_ask(work);
    return work_call(work, maker_found);
}

static enum work_step looked_up(struct work *work)
{
    struct making *making = work->state;
    enum work_step step;

    return own_class_take_object(work, &making->object, making->may_exist, &step) ? ask_maker(work)
                                                                                  : step;
}

enum work_step making_begin(struct work *work)
{
    struct making *making = work->state;

    return own_class_ask_object(work, &making->object, making->may_exist)
               ? work_call(work, looked_up)
               : ask_maker(work);
}
