#include "agents/sync/pushes/resend.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/sessions/keep.h"
#include "agents/sync/watchers/watched.h"

static void read_updates(const struct work *work, const struct resend *what, struct push *push)
{
    push_begin(push, PUSH_UPDATE, what->number);
    for (size_t i = 0; i < redis_count(what->updates); i++) {
        const struct redis_reply *item = redis_item(what->updates, i);
        struct stored_ref ref = stored_ref(work->agent->model, redis_str(redis_item(item, 0)));

        if (ref.class_)
            push_add_update(push, &ref, redis_item(item, 2));
    }
    push_end(push, NULL);
}

static void read_deletes(const struct work *work, const struct resend *what, struct push *push)
{
    push_begin(push, PUSH_DELETE, what->number);
    for (size_t i = 0; i < redis_count(what->deletes); i++) {
        const struct redis_reply *item = redis_item(what->deletes, i);
        struct stored_ref ref = stored_ref(work->agent->model, redis_str(redis_item(item, 0)));

        if (ref.class_)
            push_add_delete(push, &ref);
    }
    push_end(push, NULL);
}

void resend_read(const struct work *work, const struct resend *what, struct resend_pushes *out)
{
    const size_t values = redis_count(what->values);

    out->count = 2 + values;
    out->at = calloc(out->count, sizeof(*out->at));
    if (!out->at)
        err_out_of_memory();
    read_updates(work, what, &out->at[0]);
    read_deletes(work, what, &out->at[1]);
    for (size_t i = 0; i < values; i++) {
        const struct redis_reply *item = redis_item(what->values, i);

        watched_push(&out->at[2 + i], work->agent->model, redis_str(redis_item(item, 0)),
                     redis_str(redis_item(item, 2)), what->number);
    }
}

void resend_pushes_deinit(struct resend_pushes *pushes)
{
    for (size_t i = 0; i < pushes->count; i++)
        push_deinit(&pushes->at[i]);
    free(pushes->at);
}

void resend_send(struct work *work, const struct resend_pushes *pushes, const struct push_to *to)
{
    for (size_t i = 0; i < pushes->count; i++) {
        if (pushes->at[i].count)
            push_send(work, &pushes->at[i], to, 1);
    }
}

void resend_requests(struct work *work, const struct resend *what, const struct push_to *to)
{
    for (size_t i = 0; i < redis_count(what->open); i++) {
        const struct redis_reply *item = redis_item(what->open, i);

        keep_answer_again(work, redis_str(redis_item(item, 0)), redis_str(redis_item(item, 1)), to);
    }
}

static void add_told(struct redis_call *call, const struct redis_reply *list, bool has_it)
{
    for (size_t i = 0; i < redis_count(list); i++) {
        const struct redis_reply *item = redis_item(list, i);

        overtaken_told(call, redis_str(redis_item(item, 0)), redis_i64(redis_item(item, 1)),
                       has_it);
    }
}

static void add_told_values(struct redis_call *call, const struct redis_reply *list)
{
    for (size_t i = 0; i < redis_count(list); i++) {
        const struct redis_reply *item = redis_item(list, i);

        overtaken_told(call, redis_str(redis_item(item, 0)), redis_i64(redis_item(item, 1)),
                       redis_str(redis_item(item, 3))[0] == '1');
    }
}

void resend_begin_look(struct work *work, const struct resend *what, const char *session)
{
    struct redis_call look = {0};

    overtaken_begin(&look, work->agent->model,
                    redis_count(what->updates) + redis_count(what->deletes) +
                        redis_count(what->values));
    add_told(&look, what->updates, true);
    add_told(&look, what->deletes, false);
    add_told_values(&look, what->values);
    overtaken_sessions(&look, 1, 0);
    redis_call_arg(&look, session);
    redis_call_deinit(&work->call);
    work->call = look;
}
