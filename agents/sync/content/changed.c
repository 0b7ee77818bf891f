#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/content/notify.h"
#include "agents/sync/operations.h"
#include "agents/sync/pushes/receipts.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

/*
 * changedReceived: clients of the content protocol have answered blocks (notify.h). A gateway sends
 * the answers of all its clients at once, and awaits none itself:
 *
 *     {"v":1,"receipts":[["<client id>",<number of the block>],...]}
 */

#define PER_CALL 250

static enum work_step settled(struct work *work);

/* What is no such pair settles nothing. */
static void add_receipt(struct redis_call *call, struct json_span receipt)
{
    _cleanup_(text_deinitp) struct text client = {0};
    struct json_walk parts = json_walk(receipt);
    int64_t number = 0;

    if (!json_next(&parts) || json_decode(parts.value, &client) || !json_next(&parts) ||
        json_int64(parts.value, &number))
        text_clear(&client);
    redis_call_arg_bytes(call, text_str(&client), client.size);
    redis_call_arg_i64(call, number);
}

static enum work_step settle_next(struct work *work)
{
    const struct json_walk *left = work->state;
    struct json_walk ahead = *left;
    size_t count = 0;

    redis_call_begin(&work->call, &script_settle_block);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, work->agent->proc.settings.sync_notify_ms);
    redis_call_arg_i64(&work->call, receipts_pause_ms(work));
    for (; count < PER_CALL && json_next(&ahead); count++)
        add_receipt(&work->call, ahead.value);
    return count ? work_call(work, settled) : work_reply(work, &(struct text){0}, NULL);
}

static enum work_step settled(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    int64_t handled = redis_i64(redis_item(r, 0));
    struct json_walk *left = work->state;

    if (handled <= 0)
        return work_error(work, CODE_INTERNAL, "the answers could not be settled");
    for (; handled > 0 && json_next(left); handled--)
        continue;
    notify_sessions(work, redis_item(r, 1));
    return settle_next(work);
}

enum work_step plan_changed_received(struct work *work)
{
    struct json_walk *left = calloc(1, sizeof(*left));

    if (!left)
        err_out_of_memory();
    *left = json_walk(json_member(work->request.body, "receipts", NULL));
    work->state = left;
    work->state_destroy = free;
    return settle_next(work);
}
