#include "agents/sync/pushes/resend.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/sessions/keep.h"

void resend_read(const struct work *work, const struct resend *what,
                 struct push pushes[RESEND_PUSHES])
{
    push_begin(&pushes[0], PUSH_UPDATE, what->number);
    push_begin(&pushes[1], PUSH_DELETE, what->number);
    for (size_t i = 0; i < redis_count(what->updates); i++) {
        const struct redis_reply *item = redis_item(what->updates, i);
        struct stored_ref ref = stored_ref(work->agent->model, redis_str(redis_item(item, 0)));

        if (ref.class_)
            push_add_update(&pushes[0], &ref, redis_item(item, 2));
    }
    for (size_t i = 0; i < redis_count(what->deletes); i++) {
        const struct redis_reply *item = redis_item(what->deletes, i);
        struct stored_ref ref = stored_ref(work->agent->model, redis_str(redis_item(item, 0)));

        if (ref.class_)
            push_add_delete(&pushes[1], &ref);
    }
    push_end(&pushes[0], NULL);
    push_end(&pushes[1], NULL);
}

void resend_send(struct work *work, const struct push pushes[RESEND_PUSHES],
                 const struct push_to *to)
{
    for (size_t i = 0; i < RESEND_PUSHES; i++) {
        if (pushes[i].count)
            push_send(work, &pushes[i], to, 1);
    }
}

void resend_requests(struct work *work, const struct resend *what, const struct push_to *to)
{
    for (size_t i = 0; i < redis_count(what->open); i++) {
        const struct redis_reply *item = redis_item(what->open, i);

        keep_answer_again(work, redis_str(redis_item(item, 0)), redis_str(redis_item(item, 1)), to);
    }
}

static void add_told(struct redis_call *call, const struct redis_reply *list)
{
    for (size_t i = 0; i < redis_count(list); i++) {
        const struct redis_reply *item = redis_item(list, i);

        overtaken_told(call, redis_str(redis_item(item, 0)), redis_i64(redis_item(item, 1)));
    }
}

void resend_begin_look(struct work *work, const struct resend *what, const char *session)
{
    struct redis_call look = {0};

    overtaken_begin(&look, redis_count(what->updates) + redis_count(what->deletes));
    add_told(&look, what->updates);
    add_told(&look, what->deletes);
    overtaken_sessions(&look, 1);
    redis_call_arg(&look, session);
    redis_call_deinit(&work->call);
    work->call = look;
}
