#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/content/content.h"
#include "agents/sync/content/names.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/operations.h"
#include "agents/sync/refused.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/model/model_content.h"

/*
 * subscribe, revoke ("Notifications from the client"): an array of keys, of which the session wants
 * to hear from now on, or no more. Whether there are such documents, and whether the session may
 * see them, is asked when there is something to tell. Nothing is changed unless all keys are legal;
 * those of which there can be no document are passed over.
 */

#define PER_CALL 250 /* of what is watched */

struct wishes {
    struct names items; /* as scripts call them (item.lua) */
    bool end;           /* they are taken back */
};

static void wishes_destroy(void *state)
{
    struct wishes *wishes = state;

    names_deinit(&wishes->items);
    free(wishes);
}

/* ---- The calls ---- */

static enum work_step noted(struct work *work);

static enum work_step note_next(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct wishes *wishes = work->state;
    size_t at = wishes->items.handled;
    const char *item = names_next(&wishes->items, &at);

    if (!item)
        return work_reply(work, &(struct text){0}, NULL);
    redis_call_begin(&work->call, &script_subscribe);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, work->request.accepted_ms);
    redis_call_arg_i64(&work->call, clock_wall_ms() + settings->sync_job_lease_ms);
    redis_call_arg(&work->call, wishes->end ? "1" : "0");
    redis_call_arg_i64(&work->call, settings->sync_max_subscriptions);
    rights_add_restricted(&work->call, work->agent->model);
    for (int i = 0; i < PER_CALL && item; i++, item = names_next(&wishes->items, &at))
        redis_call_arg(&work->call, item);
    return work_call(work, noted);
}

/* Until the job that is ordered knows the children, a change of one is not told. */
static enum work_step noted(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct wishes *wishes = work->state;
    enum work_step step;

    if (refused(work, "the subscriptions could not be changed", &step))
        return step;
    if (!strcmp(redis_str(redis_item(r, 0)), "full"))
        return work_error(work, CODE_TOO_MANY, "no more subscriptions are kept for a session");
    if (*redis_str(redis_item(r, 2)))
        job_cascade_start(work, redis_str(redis_item(r, 2)));
    names_handled(&wishes->items, PER_CALL);
    return note_next(work);
}

/* ---- The request ---- */

/* A document whose class has no children has nothing to tell of these. */
static void add_items(struct names *items, const struct model_class *c, const char *id)
{
    _cleanup_(text_deinitp) struct text item = {0};

    text_addf(&item, "+%s:%s", c->name, id);
    names_add(items, item.at + 1);
    if (c->children)
        names_add(items, item.at);
}

static enum err read_keys(const struct work *work, struct names *items, struct text *problem)
{
    struct json_walk keys = json_walk(request_data(&work->request));

    for (size_t i = 0; json_next(&keys); i++) {
        _cleanup_(text_deinitp) struct text wrong = {0};
        _cleanup_(freep) char *id = NULL;
        const struct model_class *c;
        enum err e = model_read_key(work->agent->model, keys.value, &c, &id, &wrong);

        if (e == ERR_MALFORMED) {
            text_addf(problem, "data[%zu]%s", i, text_str(&wrong));
            return e;
        }
        if (!e)
            add_items(items, c, id);
    }
    return ERR_OK;
}

static enum work_step plan(struct work *work, bool end)
{
    const struct json_span keys = request_data(&work->request);
    _cleanup_(text_deinitp) struct text problem = {0};
    struct wishes *wishes;

    if (json_kind(keys) != JSON_ARRAY)
        return content_expected(work, "data", "an array of keys", keys);
    wishes = calloc(1, sizeof(*wishes));
    if (!wishes)
        err_out_of_memory();
    wishes->end = end;
    work->state = wishes;
    work->state_destroy = wishes_destroy;
    if (read_keys(work, &wishes->items, &problem))
        return work_error(work, CODE_MALFORMED, problem.at);
    return note_next(work);
}

enum work_step plan_subscribe(struct work *work)
{
    return plan(work, false);
}

enum work_step plan_revoke(struct work *work)
{
    return plan(work, true);
}
