#include "agents/sync/operations.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/own_class.h"
#include "agents/sync/writes/removal.h"
#include "agents/sync/writes/write.h"

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

static enum work_step committed(struct work *work)
{
    return write_answer(work, NULL);
}

static enum work_step commit(struct work *work, const struct model_class *c, const char *id)
{
    write_begin(work, &script_remove, c, id, ACTION_REMOVE);
    removal_add_args(work);
    return work_call(work, committed);
}

static enum work_step looked_up(struct work *work)
{
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;
    enum work_step step;

    return read_pair(work, &c, &id, &step) && own_class_take(work, &c, &step) ? commit(work, c, id)
                                                                              : step;
}

enum work_step plan_remove_object(struct work *work)
{
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;
    enum work_step step;

    if (!read_pair(work, &c, &id, &step))
        return step;
    return own_class_ask(work, c, id) ? work_call(work, looked_up) : commit(work, c, id);
}
