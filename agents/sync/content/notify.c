#include "agents/sync/content/notify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/content/names.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/pushes/push.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/model/model_content.h"

static void names_destroy(void *state)
{
    names_deinit(state);
    free(state);
}

/* ---- Blocks ---- */

#define ENTRY_PARTS 3 /* ref, content, children */

static void add_entries(struct push *push, const struct model *model,
                        const struct redis_reply *entries)
{
    for (size_t i = 0; i < redis_count(entries); i++) {
        const struct redis_reply *entry = redis_item(entries, i);
        const struct stored_ref ref = stored_ref(model, redis_str(redis_item(entry, 0)));

        if (!ref.class_ || !ref.class_->type)
            continue;
        text_add(&push->body, push->count++ ? ",{\"key\":" : "{\"key\":");
        model_add_key(&push->body, ref.class_, ref.id);
        text_addf(&push->body, ",\"content\":%s,\"children\":%s}",
                  redis_i64(redis_item(entry, 1)) ? "true" : "false",
                  redis_i64(redis_item(entry, 2)) ? "true" : "false");
    }
}

static void read_block(struct push *push, const struct model *model, int64_t number,
                       const struct redis_reply *entries)
{
    push->kind = PUSH_BLOCK;
    push->number = number;
    text_addf(&push->body,
              "{\"type\":\"request\",\"id\":\"%" PRId64 "\",\"cls\":\"changed\",\"data\":[",
              number);
    add_entries(push, model, entries);
    text_add(&push->body, "]}");
}

static void send_blocks(struct work *work, int64_t number, const struct redis_reply *blocks)
{
    const size_t count = redis_count(blocks);
    struct push *pushes = calloc(count + 1, sizeof(*pushes));
    struct push_to *to = calloc(count + 1, sizeof(*to));

    if (!pushes || !to)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++) {
        const struct redis_reply *block = redis_item(blocks, i);

        to[i].client = redis_str(redis_item(block, 0));
        to[i].gateway = redis_str(redis_item(block, 1));
        to[i].push = i;
        read_block(&pushes[i], work->agent->model, number, redis_item(block, 2));
    }
    push_send(work, pushes, to, count);
    for (size_t i = 0; i < count; i++)
        push_deinit(&pushes[i]);
    free(pushes);
    free(to);
}

/* ---- The calls ---- */

#define PER_CALL 50 /* sessions, since all that a call returns goes into one message */

static enum work_step told(struct work *work);

static enum work_step tell_next(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct names *sessions = work->state;
    size_t at = sessions->handled, end = at;
    int64_t count = 0;

    while (count < PER_CALL && names_next(sessions, &end))
        count++;
    if (!count)
        return WORK_DONE;
    redis_call_begin(&work->call, &script_notify);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, settings->sync_max_block);
    redis_call_arg_i64(&work->call, settings->sync_notify_ms);
    jobs_add_timing(work);
    rights_add_restricted(&work->call, work->agent->model);
    redis_call_arg_i64(&work->call, count);
    for (; count > 0; count--)
        redis_call_arg(&work->call, names_next(sessions, &at));
    return work_call(work, told);
}

static enum work_step sent(struct work *work)
{
    fault_point("after-block");
    gateways_lost(work);
    return tell_next(work);
}

static enum work_step told(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const int64_t handled = redis_i64(redis_item(r, 0));

    if (handled <= 0)
        return WORK_DONE; /* they are due again by and by */
    fault_point("before-block");
    names_handled(work->state, handled);
    send_blocks(work, redis_i64(redis_item(r, 1)), redis_item(r, 2));
    return work->out_count ? work_publish(work, sent) : tell_next(work);
}

static void start(const struct work *work, const struct names *sessions)
{
    struct names *state = malloc(sizeof(*state));

    if (!state)
        err_out_of_memory();
    *state = *sessions;
    work_spawn(work, tell_next, state, names_destroy);
}

void notify_session(const struct work *work, const char *session)
{
    struct names sessions = {0};

    names_add(&sessions, session);
    start(work, &sessions);
}

void notify_sessions(const struct work *work, const struct redis_reply *sessions)
{
    struct names copy = {0};

    for (size_t i = 0; i < redis_count(sessions); i++)
        names_add(&copy, redis_str(redis_item(sessions, i)));
    if (copy.all.size)
        start(work, &copy);
}
