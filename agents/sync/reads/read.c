#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/reads/reading.h"
#include "agents/sync/refused.h"

#define NAME_MAX_BYTES 512 /* of a class name */

/* ---- findById: the object or null; what is found is watched from that version (spec 3.4) ---- */

static enum work_step find_by_id_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const char *ref = redis_str(redis_item(redis_item(r, 2), 0));
    const struct redis_reply *fields = redis_item(redis_item(r, 2), 1);
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;

    if (refused(work, "the object could not be read", &step))
        return step;
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"result\":");
    if (!fields) {
        text_add(&body, "null");
        response_end(&body);
        return work_reply(work, &body, NULL);
    }
    stored_add_object(&body, stored_ref(work->agent->model, ref), fields);
    response_end(&body);
    return overtaken_reply(work, &body, ref, stored_version(fields), redis_str(redis_item(r, 1)));
}

enum work_step plan_find_by_id(struct work *work)
{
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;
    enum work_step step;

    if (!reading_asked(work, &c, &id, &step))
        return step;
    reading_begin_ids(work, c, 1);
    redis_call_arg(&work->call, id);
    return work_call(work, find_by_id_answer);
}

/* ---- findByIds: what is found of each list, in its order; missing ids are left out ---- */

struct find_by_ids {
    struct reading reading;  /* first: see reading.h */
    struct json_walk groups; /* what no call has asked for yet */
    struct json_walk ids;
    const struct model_class *class_; /* of the group that `ids` belongs to */
};

static void find_by_ids_destroy(void *state)
{
    struct find_by_ids *find = state;

    reading_deinit(&find->reading);
    free(find);
}

/* Every group is looked at before anything is read. */
static bool check_groups(struct work *work, struct json_span groups, enum work_step *step)
{
    struct json_walk w = json_walk(groups);

    if (json_kind(groups) != JSON_ARRAY) {
        *step = work_error(work, CODE_MALFORMED, "theClassIdList: expected an array");
        return false;
    }
    while (json_next(&w)) {
        _cleanup_(freep) char *name = NULL;
        struct json_walk ids = json_walk(json_member(w.value, "ids", NULL));

        if (json_string(json_member(w.value, "className", NULL), NAME_MAX_BYTES, &name) ||
            json_kind(json_member(w.value, "ids", NULL)) != JSON_ARRAY) {
            *step = work_error(work, CODE_MALFORMED,
                               "theClassIdList: expected objects of className and ids");
            return false;
        }
        if (!model_class(work->agent->model, name, strlen(name))) {
            *step =
                work_error(work, CODE_MISSING_CLASS, "theClassIdList: the model has no such class");
            return false;
        }
        while (json_next(&ids)) {
            if (json_kind(ids.value) != JSON_STRING) {
                *step = work_error(work, CODE_MALFORMED, "theClassIdList: expected strings in ids");
                return false;
            }
        }
    }
    return true;
}

/* Moves to the next group that has ids left; false at the end. */
static bool next_group(const struct work *work, struct find_by_ids *find)
{
    struct json_walk ahead = find->ids;

    while (!json_next(&ahead)) {
        _cleanup_(text_deinitp) struct text name = {0};

        if (!json_next(&find->groups))
            return false;
        if (json_decode(json_member(find->groups.value, "className", NULL), &name))
            return false;
        find->class_ = model_class(work->agent->model, name.at, name.size);
        find->ids = ahead = json_walk(json_member(find->groups.value, "ids", NULL));
    }
    return find->class_ != NULL; /* it was looked at with all groups */
}

static bool has_path(const struct model_class *c)
{
    bool found = model_rule_has(&c->rules[ACTION_READ], RULE_PATH) != NULL;

    for (size_t i = 0; !found && i < c->field_count; i++)
        found = c->fields[i].read && model_rule_has(c->fields[i].read, RULE_PATH);
    return found;
}

/* So many in a call: fewer where a path has to be gone for each, to see who may read it. */
static size_t per_call(const struct model_class *c)
{
    for (size_t i = 0; i < c->concrete_count; i++) {
        if (has_path(c->concrete[i]))
            return READING_PER_CALL / 10;
    }
    return READING_PER_CALL;
}

static enum work_step find_by_ids_answer(struct work *work);

static enum work_step find_next(struct work *work)
{
    struct find_by_ids *find = work->state;
    _cleanup_(text_deinitp) struct text body = {0}, id = {0};
    struct json_walk ahead = find->ids;
    size_t count = 0, most;

    if (!next_group(work, find)) {
        work_response_begin(work, &body, NULL);
        text_addf(&body, ",\"result\":[%s]", text_str(&find->reading.objects));
        response_end(&body);
        return reading_reply(work, &body);
    }
    most = per_call(find->class_);
    for (ahead = find->ids; count < most && json_next(&ahead);)
        count++;
    reading_begin_ids(work, find->class_, count);
    for (; count > 0 && json_next(&find->ids); count--) {
        text_clear(&id);
        if (json_decode(find->ids.value, &id))
            text_clear(&id);
        redis_call_arg_bytes(&work->call, text_str(&id), id.size);
    }
    return work_call(work, find_by_ids_answer);
}

static enum work_step find_by_ids_answer(struct work *work)
{
    enum work_step step;

    return reading_take(work, work->state, &step) ? find_next(work) : step;
}

enum work_step plan_find_by_ids(struct work *work)
{
    struct json_span groups = json_member(work->request.body, "theClassIdList", NULL);
    struct find_by_ids *find;
    enum work_step step;

    if (!check_groups(work, groups, &step))
        return step;
    find = calloc(1, sizeof(*find));
    if (!find)
        err_out_of_memory();
    find->groups = json_walk(groups);
    work->state = find;
    work->state_destroy = find_by_ids_destroy;
    return find_next(work);
}
