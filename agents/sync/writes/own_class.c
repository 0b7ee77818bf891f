#include "agents/sync/writes/own_class.h"

#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/store/scripts.h"

static const struct model_class *ask(void *arg, const struct model_class *named, const char *id)
{
    struct redis_call *call = arg;

    redis_call_arg(call, id);
    redis_call_arg_i64(call, (int64_t)named->concrete_count);
    for (size_t i = 0; i < named->concrete_count; i++)
        redis_call_arg(call, named->concrete[i]->name);
    return named;
}

bool own_class_ask(struct work *work, const struct model_class *named, const char *id)
{
    redis_call_begin(&work->call, &script_own_class);
    if (model_names_others(named))
        ask(&work->call, named, id);
    return work->call.count > 0;
}

bool own_class_ask_object(struct work *work, struct model_object *object, bool itself)
{
    redis_call_begin(&work->call, &script_own_class);
    if (itself && model_names_others(object->class_))
        ask(&work->call, object->class_, object->id);
    model_visit_pairs(work->agent->model, object, ask, &work->call);
    return work->call.count > 0;
}

static const struct model_class *take(void *arg, const struct model_class *named, const char *id)
{
    struct own_class_answers *answers = arg;
    const char *own = redis_str(redis_item(answers->reply, answers->taken++));

    (void)id;
    return *own ? model_class(answers->model, own, strlen(own)) : named;
}

static bool has_failed(struct work *work, enum work_step *step)
{
    if (!redis_is_error(work->call.reply))
        return false;
    *step = work_error(work, CODE_INTERNAL, "the object could not be looked up");
    return true;
}

bool own_class_take(struct work *work, const struct model_class **c, enum work_step *step)
{
    struct own_class_answers answers = {work->agent->model, work->call.reply, 0};

    if (has_failed(work, step))
        return false;
    *c = take(&answers, *c, NULL);
    return true;
}

/* A class has all fields of its parents. */
static void change_class(struct model_object *object, const struct model_class *own)
{
    for (size_t i = 0; i < object->count; i++) {
        struct model_value *value = &object->values[i];

        value->field = model_field(own, value->field->name, strlen(value->field->name));
    }
    object->class_ = own;
}

bool own_class_take_object(struct work *work, struct model_object *object, bool itself,
                           enum work_step *step)
{
    struct own_class_answers answers = {work->agent->model, work->call.reply, 0};

    if (has_failed(work, step))
        return false;
    if (itself && model_names_others(object->class_))
        change_class(object, take(&answers, object->class_, object->id));
    model_visit_pairs(work->agent->model, object, take, &answers);
    return true;
}

void own_class_begin(struct work *work)
{
    redis_call_begin(&work->call, &script_own_class);
}

void own_class_add_pair(struct work *work, const struct model_class *c, const char *id)
{
    (void)ask(&work->call, c, id);
}

void own_class_add(struct work *work, struct model_object *object)
{
    if (object->id)
        own_class_add_pair(work, object->class_, object->id);
    model_visit_pairs(work->agent->model, object, ask, &work->call);
}

bool own_class_answered(struct work *work, struct own_class_answers *answers, enum work_step *step)
{
    *answers = (struct own_class_answers){work->agent->model, work->call.reply, 0};
    return !has_failed(work, step);
}

bool own_class_next_pair(struct own_class_answers *answers, const struct model_class **c)
{
    const bool exists = *redis_str(redis_item(answers->reply, answers->taken));

    *c = take(answers, *c, NULL);
    return exists;
}

bool own_class_next(struct own_class_answers *answers, struct model_object *object)
{
    const struct model_class *own = object->class_;
    const bool exists = object->id && own_class_next_pair(answers, &own);

    if (own != object->class_)
        change_class(object, own);
    model_visit_pairs(answers->model, object, take, answers);
    return exists;
}
