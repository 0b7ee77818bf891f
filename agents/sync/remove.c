#include "agents/sync/operations.h"
#include "agents/sync/removal.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/write.h"

/* ---- removeObject (spec 3.5): true also when there was nothing to remove ---- */

enum work_step plan_remove_object(struct work *work)
{
    struct json_span pair = json_member(work->request.body, "removePair", NULL);
    _cleanup_(text_deinitp) struct text problem = {0};
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;
    enum err e;

    if (json_kind(json_member(pair, "className", NULL)) != JSON_STRING ||
        json_kind(json_member(pair, "ID", NULL)) != JSON_STRING)
        return work_error(work, CODE_MALFORMED,
                          "removePair: expected an object with strings className and ID");
    text_add(&problem, "removePair");
    e = model_read_pair(work->agent->model, pair, &c, &id, &problem);
    if (e == ERR_NOT_FOUND)
        return work_error(work, CODE_MISSING_CLASS, text_str(&problem));
    if (e)
        return write_refuse(work, 0, text_str(&problem));
    if (c->abstract)
        return write_refuse(work, 0, "removePair.className: expected the object's own class");
    write_begin(work, &script_remove, c, id, ACTION_REMOVE);
    removal_add_args(work);
    return work_call(work, write_answer);
}
