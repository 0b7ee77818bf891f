#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/overtaken.h"
#include "agents/sync/push.h"
#include "agents/sync/store/scripts.h"
#include "common/clock.h"

#define PER_STEP 100 /* objects sent by one call */

/* A session whose marks are due: the newest state of each object, updates first, then deletes. */
struct redeliver {
    char session[32];
    char epoch[32];
    bool more;
};

static enum work_step found(struct work *work);

static enum work_step next_step(struct work *work)
{
    const struct redeliver *redeliver = work->state;

    redis_call_begin(&work->call, &script_redeliver);
    redis_call_arg(&work->call, redeliver->session);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, PER_STEP);
    jobs_add_timing(work);
    jobs_add_restricted(work);
    return work_call(work, found);
}

static enum work_step next_or_done(struct work *work)
{
    const struct redeliver *redeliver = work->state;

    return redeliver->more ? next_step(work) : WORK_DONE;
}

static enum work_step unbound(struct work *work)
{
    (void)work;
    return WORK_DONE;
}

/* The gateway's queue is gone: the marks wait for the client's return. */
static enum work_step unbind(struct work *work)
{
    const struct redeliver *redeliver = work->state;

    redis_call_begin(&work->call, &script_unbind);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, 2);
    redis_call_arg(&work->call, redeliver->session);
    redis_call_arg(&work->call, redeliver->epoch);
    return work_call(work, unbound);
}

static enum work_step sent(struct work *work)
{
    for (size_t i = 0; i < work->sent_count; i++) {
        if (work->sent[i].outcome == AMQP_RETURNED)
            return unbind(work);
    }
    return work_call(work, next_or_done); /* the look that found() has built */
}

/* Adds one message with all objects of a kind, if there are any. */
static void add_push(struct work *work, const struct redis_reply *list, char kind,
                     const struct push_to *to)
{
    _cleanup_(text_deinitp) struct text body = {0}, none = {0};
    size_t count = 0;

    text_add(&none, "[]");
    (kind == 'u' ? push_update_begin : push_delete_begin)(&body);
    for (size_t i = 0; i < redis_count(list); i++) {
        const struct redis_reply *item = redis_item(list, i);
        struct stored_ref ref = stored_ref(work->agent->model, redis_str(redis_item(item, 0)));

        if (redis_str(redis_item(item, 1))[0] != kind || !ref.class_)
            continue;
        if (count++)
            text_add_char(&body, ',');
        if (kind == 'u')
            stored_add_object(&body, ref, redis_item(item, 3));
        else
            model_add_pair(&body, ref.class_->name, ref.id);
    }
    if (!count)
        return;
    if (kind == 'u')
        push_update_end(&body, &none);
    else
        push_delete_end(&body);
    push_add(work, &body, to, 1);
}

static void begin_look(struct work *work, const struct redis_reply *list, const char *session)
{
    struct redis_call look = {0};

    overtaken_begin(&look, redis_count(list));
    for (size_t i = 0; i < redis_count(list); i++) {
        const struct redis_reply *item = redis_item(list, i);

        overtaken_told(&look, redis_str(redis_item(item, 0)), redis_i64(redis_item(item, 2)));
    }
    overtaken_sessions(&look, 1);
    redis_call_arg(&look, session);
    redis_call_deinit(&work->call);
    work->call = look;
}

static enum work_step found(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *list = redis_item(r, 5);
    struct redeliver *redeliver = work->state;
    struct push_to to = {redis_str(redis_item(r, 1)), redis_str(redis_item(r, 2)),
                         redis_str(redis_item(r, 3))};

    if (redis_is_error(r) || !redis_count(list))
        return WORK_DONE;
    redeliver->more = redis_i64(redis_item(r, 4)) == 1;
    strncpy(redeliver->epoch, to.epoch, sizeof(redeliver->epoch) - 1);
    add_push(work, list, 'u', &to);
    add_push(work, list, 'd', &to);
    begin_look(work, list, redeliver->session);
    return work_publish(work, sent);
}

void redeliver_start(const struct work *work, const char *session)
{
    struct redeliver *redeliver = calloc(1, sizeof(*redeliver));

    if (!redeliver)
        err_out_of_memory();
    strncpy(redeliver->session, session, sizeof(redeliver->session) - 1);
    work_spawn(work, next_step, redeliver, free);
}
