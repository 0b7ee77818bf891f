#include <stdlib.h>
#include <string.h>

#include "agents/runtime/indexes.h"
#include "agents/runtime/lineage.h"
#include "agents/sync/operations.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/complete.h"
#include "agents/sync/writes/maker.h"
#include "agents/sync/writes/making.h"
#include "agents/sync/writes/own_class.h"
#include "agents/sync/writes/put.h"
#include "agents/sync/writes/removal.h"
#include "agents/sync/writes/transaction_private.h"
#include "agents/sync/writes/write.h"
#include "agents/sync/writes/write_object.h"

/*
 * processTransaction (spec 3.5): objects are saved and removed together, or nothing is. Who saves
 * an object that is there puts it, else makes it; so it is looked up first, and the commit says
 * whether that still holds. transaction_read.c reads the request.
 */

#define MOST_TRIES 10 /* while objects come and go between the look and the commit */

static void transaction_destroy(void *state)
{
    transaction_forget(state);
    free(state);
}

/* ---- Which of them are there, and what are their own classes? ---- */

static enum work_step looked_up(struct work *work);

static enum work_step begin(struct work *work)
{
    struct transaction *t = work->state;
    enum work_step step;

    if (!transaction_read(work, t, &step))
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

static bool is_same_id(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

/* Each object stands there once: what it would be in the end is not for us to guess. A new one may
 * be named by a parent of its class where it is removed. */
static const char *twice(const struct transaction *t)
{
    for (size_t i = 0; i < t->save_count; i++) {
        const struct model_object *o = &t->saves[i].object;

        for (size_t j = 0; j < i; j++) {
            if (o->class_ == t->saves[j].object.class_ && is_same_id(o->id, t->saves[j].object.id))
                return t->saves[i].place.at;
        }
        for (size_t j = 0; j < t->removal_count; j++) {
            if (model_is_a(o->class_, t->removals[j].class_) &&
                is_same_id(o->id, t->removals[j].id))
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
        transaction_place(&t->saves[i], i);
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

/* It is the commit that refuses it, unless the request was answered before, or the object is there
 * by then. `problem` goes on behind the save's place: ".field: why". */
static void refuse_later(struct save *save, const char *outcome, const char *problem)
{
    const char *colon = strchr(problem, ':');

    save->unmade = outcome;
    text_add_bytes(&save->place, problem, (size_t)(colon - problem));
    text_add(&save->why, colon + 2);
}

static void fill(struct work *work, struct save *save, const char *maker)
{
    struct model_object *object = &save->object;
    const char *why = making_settle_id(object, &work->request, save->place.at), *missing;
    _cleanup_(text_deinitp) struct text problem = {0};

    if (why) {
        refuse_later(save, "unmade", why);
        return;
    }
    save->given = object->count;
    save->added = making_fill(object, maker, work->request.accepted_ms);
    if (!write_check_lists(work, object, "", &problem)) {
        refuse_later(save, "unmade", problem.at);
    } else if ((missing = complete_missing(object))) {
        text_addf(&problem, ": %s", missing);
        refuse_later(save, "lacking", problem.at);
    }
}

static enum work_step commit(struct work *work);

static enum work_step complete(struct work *work, const char *maker)
{
    struct transaction *t = work->state;

    for (size_t i = 0; i < t->save_count; i++) {
        if (!t->saves[i].exists)
            fill(work, &t->saves[i], maker);
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

static const char *kind_of(const struct save *save)
{
    if (save->unmade)
        return "refuse";
    return save->exists ? "put" : "create";
}

static void add_save(struct work *work, const struct save *save)
{
    const struct model_object *object = &save->object;
    const struct model_class *c = object->class_;

    redis_call_arg(&work->call, save->place.at);
    redis_call_arg(&work->call, kind_of(save));
    lineage_add_args(&work->call, c, work->agent->proc.settings.sync_history_kept);
    redis_call_arg(&work->call, object->id ? object->id : "");
    rights_add_rule(&work->call, c, save->exists ? ACTION_UPDATE : ACTION_CREATE);
    if (save->unmade) {
        redis_call_arg(&work->call, save->unmade);
        redis_call_arg(&work->call, save->why.at);
    } else if (save->exists) {
        write_add_object(&work->call, object);
        rights_add_guards(&work->call, object);
    } else {
        write_add_new(&work->call, object);
        redis_call_arg(&work->call, save->added ? "0" : "1");
        rights_add_guards_new(&work->call, object, save->given);
    }
}

static void add_removal(struct work *work, const struct to_remove *removal)
{
    redis_call_arg(&work->call, removal->place.at);
    redis_call_arg(&work->call, removal->class_->name);
    redis_call_arg(&work->call, removal->id);
    rights_add_rule(&work->call, removal->class_, ACTION_REMOVE);
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

static void add_pair(struct text *out, const struct model *model, const char *ref_text)
{
    const struct stored_ref ref = stored_ref(model, ref_text);

    if (!ref.class_)
        return; /* the model has lost it since the first time */
    if (out->at[out->size - 1] != '[')
        text_add_char(out, ',');
    model_add_pair(out, ref.class_->name, ref.id);
}

/* Of the next `count` lines of what the commit has said. */
static void add_pairs(struct text *out, const struct model *model, const char **said, size_t count)
{
    _cleanup_(text_deinitp) struct text ref = {0};
    int64_t version;

    while (count-- > 0 && stored_next_line(said, &version, &ref))
        add_pair(out, model, text_str(&ref));
}

/* The commit has a line for each save, then for each removal; a repeated request has the same ones.
 */
static enum work_step answer(struct work *work, const char *said)
{
    const struct transaction *t = work->state;
    const struct model *model = work->agent->model;
    _cleanup_(text_deinitp) struct text body = {0};
    const char *at = said;

    work_response_begin(work, &body, NULL);
    transaction_add(work, &body);
    text_add(&body, ",\"result\":true,\"objectsSaved\":[");
    add_pairs(&body, model, &at, t->save_count);
    text_add(&body, "],\"objectsRemoved\":[");
    add_pairs(&body, model, &at, t->removal_count);
    text_add_char(&body, ']');
    response_end(&body);
    if (!t->save_count)
        return work_reply(work, &body, write_replied);
    return overtaken_reply_to_saves(work, &body, said, t->save_count);
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
    if (!put_read_time(work, "transTimestamp", &t->time, &step) || !transaction_check(work, &step))
        return step;
    return begin(work);
}
