#include "agents/sync/writes/transaction.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/indexes.h"
#include "agents/runtime/lineage.h"
#include "agents/sync/operations.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/complete.h"
#include "agents/sync/writes/maker.h"
#include "agents/sync/writes/making.h"
#include "agents/sync/writes/own_class.h"
#include "agents/sync/writes/put.h"
#include "agents/sync/writes/removal.h"
#include "agents/sync/writes/write.h"

/*
 * processTransaction (spec 3.5): objects are saved and removed together, or nothing is. Who saves
 * an object that is there puts it, else makes it; so it is looked up first, and the commit says
 * whether that still holds.
 */

#define MOST_TRIES 10 /* while objects come and go between the look and the commit */

struct save {
    struct model_object object;
    struct text place; /* in the request: "objectsToSave[2] (com.app.mo.Task:5)" */
    bool exists;
    bool added; /* the server has set more than what was asked for */
};

struct to_remove {
    const struct model_class *class_;
    char *id;
    struct text place;
};

struct transaction {
    struct save *saves;
    size_t save_count;
    struct to_remove *removals;
    size_t removal_count;
    int64_t time;
    unsigned tries;
};

static void forget_objects(struct transaction *t)
{
    for (size_t i = 0; i < t->save_count; i++) {
        model_object_deinit(&t->saves[i].object);
        text_deinit(&t->saves[i].place);
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

static void transaction_destroy(void *state)
{
    forget_objects(state);
    free(state);
}

/* ---- What is asked for ---- */

static struct json_span list_of(const struct work *work, const char *name)
{
    return json_member(work->request.body, name, NULL);
}

static bool is_kind_or_null(struct json_span value, enum json_kind kind)
{
    return json_kind(value) == kind || json_kind(value) == JSON_NULL ||
           json_kind(value) == JSON_ABSENT;
}

static bool check_members(struct work *work, enum work_step *step)
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

static void place_save(struct save *save, size_t i)
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
        place_save(save, t->save_count - 1);
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

/* ---- Which of them are there, and what are their own classes? ---- */

static enum work_step looked_up(struct work *work);

static enum work_step begin(struct work *work)
{
    struct transaction *t = work->state;
    enum work_step step;

    forget_objects(t);
    if (!read_saves(work, t, &step) || !read_removals(work, t, &step))
        return step;
    own_class_begin(work);
    for (size_t i = 0; i < t->save_count; i++)
        own_class_add(work, &t->saves[i].object);
    for (size_t i = 0; i < t->removal_count; i++)
        own_class_add_pair(work, t->removals[i].class_, t->removals[i].id);
    return work_call(work, looked_up);
}

/* What is made beside it may be named by a parent of its class, too. */
static const struct model_class *own_class_among(void *arg, const struct model_class *named,
                                                 const char *id)
{
    const struct transaction *t = arg;

    for (size_t i = 0; i < t->save_count; i++) {
        const struct model_object *object = &t->saves[i].object;

        if (!t->saves[i].exists && object->id && !strcmp(object->id, id) &&
            model_is_a(object->class_, named))
            return object->class_;
    }
    return named;
}

static bool is_same(const struct model_class *a, const char *a_id, const struct model_class *b,
                    const char *b_id)
{
    return a == b && a_id && b_id && !strcmp(a_id, b_id);
}

/* Each object stands there once: what it would be in the end is not for us to guess. */
static const char *twice(const struct transaction *t)
{
    for (size_t i = 0; i < t->save_count; i++) {
        const struct model_object *o = &t->saves[i].object;

        for (size_t j = 0; j < i; j++) {
            if (is_same(o->class_, o->id, t->saves[j].object.class_, t->saves[j].object.id))
                return t->saves[i].place.at;
        }
        for (size_t j = 0; j < t->removal_count; j++) {
            if (is_same(o->class_, o->id, t->removals[j].class_, t->removals[j].id))
                return t->removals[j].place.at;
        }
    }
    return NULL;
}

static enum work_step ask_maker(struct work *work);

static enum work_step looked_up(struct work *work)
{
    struct transaction *t = work->state;
    struct own_class_answers answers;
    _cleanup_(text_deinitp) struct text problem = {0};
    enum work_step step;
    const char *place;

    if (!own_class_answered(work, &answers, &step))
        return step;
    for (size_t i = 0; i < t->save_count; i++) {
        t->saves[i].exists = own_class_next(&answers, &t->saves[i].object);
        place_save(&t->saves[i], i);
    }
    for (size_t i = 0; i < t->removal_count; i++)
        (void)own_class_next_pair(&answers, &t->removals[i].class_);
    for (size_t i = 0; i < t->save_count; i++)
        model_visit_pairs(work->agent->model, &t->saves[i].object, own_class_among, t);
    if (!(place = twice(t)))
        return ask_maker(work);
    text_addf(&problem, "%s: this object stands there twice", place);
    return work_error(work, CODE_MALFORMED, problem.at);
}

/* ---- What new ones get beside what was asked for ---- */

/* False: *step is the answer. */
static bool fill(struct work *work, struct save *save, const char *maker, enum work_step *step)
{
    struct model_object *object = &save->object;
    const char *why = making_settle_id(object, &work->request, save->place.at), *missing;
    _cleanup_(text_deinitp) struct text problem = {0};

    if (why) {
        text_addf(&problem, "%s%s", save->place.at, why);
        *step = write_refuse(work, CODE_CREATE_FAILED, problem.at);
        return false;
    }
    save->added = making_fill(object, maker, work->request.accepted_ms);
    if (!write_check_lists(work, object, save->place.at, &problem)) {
        *step = write_refuse(work, CODE_CREATE_FAILED, problem.at);
        return false;
    }
    if (!(missing = complete_missing(object)))
        return true;
    text_addf(&problem, "%s: Missing required field %s", save->place.at, missing);
    *step = write_refuse(work, CODE_MISSING_FIELD, problem.at);
    return false;
}

static enum work_step commit(struct work *work);

static enum work_step complete(struct work *work, const char *maker)
{
    struct transaction *t = work->state;
    enum work_step step;

    for (size_t i = 0; i < t->save_count; i++) {
        if (!t->saves[i].exists && !fill(work, &t->saves[i], maker, &step))
            return step;
    }
    return commit(work);
}

static enum work_step maker_found(struct work *work)
{
    enum work_step step;
    const char *pair;

    return maker_take(work, &pair, &step) ? complete(work, pair) : step;
}

static enum work_step ask_maker(struct work *work)
{
    const struct transaction *t = work->state;

    for (size_t i = 0; i < t->save_count; i++) {
        if (!t->saves[i].exists && maker_is_needed(t->saves[i].object.class_)) {
            maker_ask(work);
            return work_call(work, maker_found);
        }
    }
    return complete(work, "");
}

/* ---- The commit, and the answer ---- */

static void add_save(struct work *work, const struct save *save)
{
    const struct model_object *object = &save->object;
    const struct model_class *c = object->class_;

    redis_call_arg(&work->call, save->place.at);
    redis_call_arg(&work->call, save->exists ? "put" : "create");
    lineage_add_args(&work->call, c, work->agent->proc.settings.sync_history_kept);
    redis_call_arg(&work->call, object->id ? object->id : "");
    stored_add_right(&work->call, c, save->exists ? ACTION_UPDATE : ACTION_CREATE);
    if (save->exists) {
        write_add_object(work, object);
        return;
    }
    write_add_new(&work->call, object);
    redis_call_arg(&work->call, save->added ? "0" : "1");
}

static void add_removal(struct work *work, const struct to_remove *removal)
{
    redis_call_arg(&work->call, removal->place.at);
    redis_call_arg(&work->call, removal->class_->name);
    redis_call_arg(&work->call, removal->id);
    stored_add_right(&work->call, removal->class_, ACTION_REMOVE);
}

static enum work_step committed(struct work *work);

static enum work_step commit(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct transaction *t = work->state;

    write_begin_many(work, &script_transaction, NULL);
    removal_add_args(work);
    redis_call_arg_i64(&work->call, t->time);
    redis_call_arg_i64(&work->call, (int64_t)t->save_count);
    for (size_t i = 0; i < t->save_count; i++)
        add_save(work, &t->saves[i]);
    redis_call_arg_i64(&work->call, (int64_t)t->removal_count);
    for (size_t i = 0; i < t->removal_count; i++)
        add_removal(work, &t->removals[i]);
    redis_call_arg_i64(&work->call, settings->sync_json_history_kept);
    redis_call_arg_i64(&work->call, settings->sync_json_history_bytes);
    return work_call(work, committed);
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

/* The next of the saves' lines, "<version> <ref>"; NULL behind the last one. */
static const char *next_saved(struct text *lines, size_t *at, int64_t *version)
{
    char *line = lines->at + *at, *ref, *end;

    if (*at >= lines->size)
        return NULL;
    *version = strtoll(line, &ref, 10);
    end = strchrnul(ref, '\n');
    *at += (size_t)(end - line) + 1;
    *end = '\0';
    return ref + 1;
}

static void add_pair(struct text *out, const struct model *model, const char *ref_text)
{
    const struct stored_ref ref = stored_ref(model, ref_text);

    if (out->at[out->size - 1] != '[')
        text_add_char(out, ',');
    if (ref.class_)
        model_add_pair(out, ref.class_->name, ref.id);
}

static void add_answer(const struct work *work, struct text *out, struct text *lines)
{
    const struct transaction *t = work->state;
    int64_t version;
    const char *ref;

    work_response_begin(work, out, NULL);
    transaction_add(work, out);
    text_add(out, ",\"result\":true,\"objectsSaved\":[");
    for (size_t at = 0; (ref = next_saved(lines, &at, &version));)
        add_pair(out, work->agent->model, ref);
    text_add(out, "],\"objectsRemoved\":[");
    for (size_t i = 0; i < t->removal_count; i++) {
        text_add(out, i ? "," : "");
        model_add_pair(out, t->removals[i].class_->name, t->removals[i].id);
    }
    text_add_char(out, ']');
    response_end(out);
}

static enum work_step answer(struct work *work, const char *said)
{
    _cleanup_(text_deinitp) struct text body = {0}, lines = {0};

    text_add(&lines, said);
    add_answer(work, &body, &lines);
    if (!lines.size)
        return work_reply(work, &body, write_replied);
    text_clear(&lines);
    text_add(&lines, said);
    return overtaken_reply_to_saves(work, &body, &lines,
                                    redis_str(redis_item(work->call.reply, 1)));
}

static enum work_step committed(struct work *work)
{
    struct transaction *t = work->state;
    enum work_step step;
    const char *outcome;

    if (write_ended(work, &outcome, &step))
        return step;
    if (!strcmp(outcome, "changed"))
        return ++t->tries < MOST_TRIES
                   ? begin(work)
                   : write_refuse(work, 0, "others make and remove these objects all the time");
    if (!strcmp(outcome, "ok"))
        write_start_jobs(work);
    return answer(work, write_said(work, outcome));
}

enum work_step plan_process_transaction(struct work *work)
{
    struct transaction *t = calloc(1, sizeof(*t));
    enum work_step step;

    if (!t)
        err_out_of_memory();
    work->state = t;
    work->state_destroy = transaction_destroy;
    if (!put_read_time(work, "transTimestamp", &t->time, &step) || !check_members(work, &step))
        return step;
    return begin(work);
}
