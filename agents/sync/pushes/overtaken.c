#include "agents/sync/pushes/overtaken.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"
#include "common/base/clock.h"
#include "common/base/fault.h"

#define TOLD_PARTS 3 /* ref, version, whether it is there for the session */

void overtaken_begin(struct redis_call *call, const struct model *model, size_t objects)
{
    redis_call_begin(call, &script_overtaken);
    redis_call_arg_i64(call, clock_wall_ms());
    rights_add_restricted(call, model);
    redis_call_arg_i64(call, (int64_t)objects * TOLD_PARTS);
}

void overtaken_told(struct redis_call *call, const char *ref, int64_t version, bool has_it)
{
    redis_call_arg(call, ref);
    redis_call_arg_i64(call, version);
    redis_call_arg(call, has_it ? "1" : "0");
}

void overtaken_sessions(struct redis_call *call, size_t sessions, size_t losers)
{
    redis_call_arg_i64(call, (int64_t)sessions);
    redis_call_arg_i64(call, (int64_t)losers);
}

int64_t overtaken_version(const struct work *work, int64_t version)
{
    return work->request.redelivered ? 0 : version;
}

/* ---- A reply about one object ---- */

struct told {
    int64_t version;
    struct text ref, sid;
    const struct model_class *class_; /* of the object, where only who watches it is told again */
    bool is_restricted;               /* not everyone may read it */
};

static void told_destroy(void *state)
{
    struct told *told = state;

    text_deinit(&told->ref);
    text_deinit(&told->sid);
    free(told);
}

static void add_classes(struct redis_call *call, const struct model_class *c)
{
    int64_t count = 0;

    for (const struct model_class *p = c; p; p = p->parent)
        count++;
    redis_call_arg_i64(call, count);
    for (; c; c = c->parent)
        redis_call_arg(call, c->name);
}

static void begin_look(struct work *work)
{
    const struct told *told = work->state;

    overtaken_begin(&work->call, work->agent->model, 1);
    overtaken_told(&work->call, told->ref.at, told->version, true);
    overtaken_sessions(&work->call, 1, 0);
    redis_call_arg(&work->call, told->sid.at);
    if (told->class_)
        add_classes(&work->call, told->class_);
}

static enum work_step looked(struct work *work)
{
    const struct told *told = work->state;
    int64_t newest = redis_i64(work->call.reply);

    if (!newest || newest == told->version)
        return WORK_DONE;
    begin_look(work);
    return work_call(work, work_done);
}

static enum work_step look(struct work *work)
{
    const struct told *told = work->state;

    fault_point("after-reply");
    return work_call(work, told->is_restricted ? work_done : looked);
}

/* What the class of an object is, or of that from which a value is derived. */
static bool is_restricted(const struct model *model, const char *item)
{
    const struct model_class *c = stored_ref(model, item + (*item == '~')).class_;

    return c && c->rules[ACTION_READ].restricts;
}

static enum work_step reply(struct work *work, const struct text *body, const struct told *what)
{
    struct told *told = calloc(1, sizeof(*told));
    _cleanup_(text_deinitp) struct text key = {0};

    if (!told)
        err_out_of_memory();
    *told = *what;
    told->version = overtaken_version(work, what->version);
    told->is_restricted = is_restricted(work->agent->model, told->ref.at);
    if (work->state_destroy)
        work->state_destroy(work->state);
    work->state = told;
    work->state_destroy = told_destroy;
    if (told->is_restricted) {
        begin_look(work);
    } else {
        text_addf(&key, "{o:%s}", told->ref.at);
        redis_call_begin(&work->call, NULL);
        redis_call_arg(&work->call, "HGET");
        redis_call_arg(&work->call, key.at);
        redis_call_arg(&work->call, "@v");
    }
    return work_reply(work, body, look);
}

enum work_step overtaken_reply(struct work *work, const struct text *body, const char *ref,
                               int64_t version, const char *sid)
{
    struct told told = {.version = version};

    text_add(&told.ref, ref);
    text_add(&told.sid, sid);
    return reply(work, body, &told);
}

enum work_step overtaken_reply_to_put(struct work *work, const struct text *body, const char *ref,
                                      int64_t version, const char *sid)
{
    struct told told = {.version = version};

    told.class_ = stored_ref(work->agent->model, ref).class_;
    text_add(&told.ref, ref);
    text_add(&told.sid, sid);
    return reply(work, body, &told);
}

/* ---- A reply about many that were saved ---- */

struct saved {
    struct text lines, sid;
    size_t count; /* of these lines */
};

static void saved_destroy(void *state)
{
    struct saved *saved = state;

    text_deinit(&saved->lines);
    text_deinit(&saved->sid);
    free(saved);
}

static void add_saved(struct redis_call *call, const struct saved *saved)
{
    _cleanup_(text_deinitp) struct text ref = {0};
    const char *at = text_str(&saved->lines);
    int64_t version;

    for (size_t i = 0; i < saved->count && stored_next_line(&at, &version, &ref); i++)
        overtaken_told(call, text_str(&ref), version, true);
}

/* The classes by which somebody may watch one of them. */
static void add_all_classes(struct redis_call *call, const struct model *model)
{
    redis_call_arg_i64(call, (int64_t)model_class_count(model));
    for (size_t i = 0; i < model_class_count(model); i++)
        redis_call_arg(call, model_class_at(model, i)->name);
}

static enum work_step look_at_saved(struct work *work)
{
    const struct saved *saved = work->state;

    fault_point("after-reply");
    overtaken_begin(&work->call, work->agent->model, saved->count);
    add_saved(&work->call, saved);
    overtaken_sessions(&work->call, 1, 0);
    redis_call_arg(&work->call, saved->sid.at);
    add_all_classes(&work->call, work->agent->model);
    return work_call(work, work_done);
}

enum work_step overtaken_reply_to_saves(struct work *work, const struct text *body,
                                        const char *lines, size_t count)
{
    struct saved *saved = calloc(1, sizeof(*saved));

    if (!saved)
        err_out_of_memory();
    saved->count = count;
    text_add(&saved->lines, lines);
    text_add(&saved->sid, redis_str(redis_item(work->call.reply, 1)));
    if (work->state_destroy)
        work->state_destroy(work->state);
    work->state = saved;
    work->state_destroy = saved_destroy;
    return work_reply(work, body, look_at_saved);
}
