#include <inttypes.h>
#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/writes/transaction_private.h"
#include "agents/sync/writes/write.h"
#include "agents/sync/writes/write_object.h"

/* What a request of processTransaction asks for. */

void transaction_forget(struct transaction *t)
{
    for (size_t i = 0; i < t->save_count; i++) {
        model_object_deinit(&t->saves[i].object);
        text_deinit(&t->saves[i].place);
        text_deinit(&t->saves[i].why);
    }
    for (size_t i = 0; i < t->removal_count; i++) {
        free(t->removals[i].id);
        text_deinit(&t->removals[i].place);
    }
    free(t->saves);
    free(t->removals);
    t->saves = NULL;
    t->removals = NULL;
    t->save_count = t->removal_count = 0;
}

static struct json_span list_of(const struct work *work, const char *name)
{
    return json_member(work->request.body, name, NULL);
}

static bool is_kind_or_null(struct json_span value, enum json_kind kind)
{
    return json_kind(value) == kind || json_kind(value) == JSON_NULL ||
           json_kind(value) == JSON_ABSENT;
}

bool transaction_check(struct work *work, enum work_step *step)
{
    const int64_t most = work->agent->proc.settings.sync_max_transaction_objects;
    _cleanup_(text_deinitp) struct text problem = {0};
    const struct json_span saves = list_of(work, "objectsToSave");
    const struct json_span removals = list_of(work, "objectsToRemove");

    if (!is_kind_or_null(list_of(work, "transactionId"), JSON_STRING))
        *step = work_error(work, CODE_MALFORMED, "transactionId: expected a string, or null");
    else if (!is_kind_or_null(saves, JSON_ARRAY))
        *step = work_error(work, CODE_MALFORMED, "objectsToSave: expected an array, or null");
    else if (!is_kind_or_null(removals, JSON_ARRAY))
        *step = work_error(work, CODE_MALFORMED, "objectsToRemove: expected an array, or null");
    else if ((int64_t)(json_count(saves) + json_count(removals)) <= most)
        return true;
    else {
        text_addf(&problem, "a transaction has at most %" PRId64 " objects", most);
        *step = work_error(work, CODE_TOO_EXPENSIVE, problem.at);
    }
    return false;
}

void transaction_place(struct save *save, size_t i)
{
    text_clear(&save->place);
    text_addf(&save->place, "objectsToSave[%zu] (%s:%s)", i, save->object.class_->name,
              save->object.id ? save->object.id : "new");
}

static bool read_saves(struct work *work, struct transaction *t, enum work_step *step)
{
    struct json_walk w = json_walk(list_of(work, "objectsToSave"));

    t->saves = calloc(json_count(list_of(work, "objectsToSave")) + 1, sizeof(*t->saves));
    if (!t->saves)
        err_out_of_memory();
    while (json_next(&w)) {
        struct save *save = &t->saves[t->save_count++];

        text_addf(&save->place, "objectsToSave[%zu]", t->save_count - 1);
        if (!write_read_object(work, w.value, save->place.at, &save->object, step))
            return false;
        transaction_place(save, t->save_count - 1);
    }
    return true;
}

static bool read_removal(struct work *work, struct json_span pair, struct to_remove *removal,
                         enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    enum err e;

    text_add(&problem, removal->place.at);
    e = model_read_pair(work->agent->model, pair, &removal->class_, &removal->id, &problem);
    if (!e)
        text_addf(&removal->place, " (%s:%s)", removal->class_->name, removal->id);
    else if (e == ERR_NOT_FOUND)
        *step = work_error(work, CODE_MISSING_CLASS, problem.at);
    else if (e == ERR_RANGE)
        *step = write_refuse(work, CODE_REMOVE_FAILED, problem.at);
    else
        *step = work_error(work, CODE_MALFORMED, problem.at);
    return !e;
}

static bool read_removals(struct work *work, struct transaction *t, enum work_step *step)
{
    struct json_walk w = json_walk(list_of(work, "objectsToRemove"));

    t->removals = calloc(json_count(list_of(work, "objectsToRemove")) + 1, sizeof(*t->removals));
    if (!t->removals)
        err_out_of_memory();
    while (json_next(&w)) {
        struct to_remove *removal = &t->removals[t->removal_count++];

        text_addf(&removal->place, "objectsToRemove[%zu]", t->removal_count - 1);
        if (!read_removal(work, w.value, removal, step))
            return false;
    }
    return true;
}

bool transaction_read(struct work *work, struct transaction *t, enum work_step *step)
{
    transaction_forget(t);
    return read_saves(work, t, step) && read_removals(work, t, step);
}

void transaction_add(const struct work *work, struct text *out)
{
    struct json_span id = list_of(work, "transactionId");

    text_add(out, ",\"transactionId\":");
    if (json_kind(id) == JSON_STRING)
        text_add_bytes(out, id.at, id.size);
    else
        text_add(out, "null");
}
