#include <string.h>

#include "agents/sync/operations.h"
#include "agents/sync/removal.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/write.h"

/* ---- removeObject (spec 3.5): true also when there was nothing to remove ---- */

/* What is to go; the ID is the caller's to free(). False: *step is the answer. */
static bool read_pair(struct work *work, const struct model_class **class_out, char **id_out,
                      enum work_step *step)
{
    struct json_span pair = json_member(work->request.body, "removePair", NULL);
    _cleanup_(text_deinitp) struct text problem = {0};
    enum err e;

    if (json_kind(json_member(pair, "className", NULL)) != JSON_STRING ||
        json_kind(json_member(pair, "ID", NULL)) != JSON_STRING) {
        *step = work_error(work, CODE_MALFORMED,
                           "removePair: expected an object with strings className and ID");
        return false;
    }
    text_add(&problem, "removePair");
    e = model_read_pair(work->agent->model, pair, class_out, id_out, &problem);
    if (e == ERR_NOT_FOUND)
        *step = work_error(work, CODE_MISSING_CLASS, text_str(&problem));
    else if (e)
        *step = write_refuse(work, 0, text_str(&problem));
    return !e;
}

static enum work_step commit(struct work *work, const struct model_class *c, const char *id)
{
    write_begin(work, &script_remove, c, id, ACTION_REMOVE);
    removal_add_args(work);
    return work_call(work, write_answer);
}

static enum work_step own_class_answer(struct work *work)
{
    const char *own = redis_str(work->call.reply);
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;
    enum work_step step;

    if (redis_is_error(work->call.reply))
        return work_error(work, CODE_INTERNAL, "the object could not be looked up");
    if (!read_pair(work, &c, &id, &step))
        return step;
    return commit(work, *own ? model_class(work->agent->model, own, strlen(own)) : c, id);
}

/* An object may be named by a parent of its class, as for reads. */
static enum work_step ask_own_class(struct work *work, const struct model_class *c, const char *id)
{
    redis_call_begin(&work->call, &script_own_class);
    redis_call_arg(&work->call, id);
    redis_call_arg_i64(&work->call, (int64_t)c->concrete_count);
    for (size_t i = 0; i < c->concrete_count; i++)
        redis_call_arg(&work->call, c->concrete[i]->name);
    return work_call(work, own_class_answer);
}

enum work_step plan_remove_object(struct work *work)
{
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;
    enum work_step step;

    if (!read_pair(work, &c, &id, &step))
        return step;
    return c->concrete_count == 1 && !c->abstract ? commit(work, c, id)
                                                  : ask_own_class(work, c, id);
}
