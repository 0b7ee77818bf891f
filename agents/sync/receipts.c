#include <stdlib.h>

#include "agents/sync/operations.h"
#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"
#include "common/clock.h"

/* ---- updatesReceived, deletesReceived: push receipts (spec 3.6; design section 9) ---- */

#define PAIRS_PER_CALL 250 /* so that a huge receipt does not hold Redis */

/* A receipt that is being settled: the pairs that no call has carried yet. */
struct receipt {
    const char *kind;
    struct json_walk left;
    bool begun;
};

static enum work_step settle_answer(struct work *work);

/* Pairs that name nothing are passed over. */
static bool add_ref(struct text *ref, struct json_span pair)
{
    text_clear(ref);
    if (json_decode(json_member(pair, "className", NULL), ref))
        return false;
    text_add_char(ref, ':');
    return json_decode(json_member(pair, "ID", NULL), ref) == ERR_OK;
}

static enum work_step settle_next(struct work *work)
{
    struct receipt *receipt = work->state;
    struct text refs[PAIRS_PER_CALL] = {0};
    size_t count = 0;

    while (count < PAIRS_PER_CALL && json_next(&receipt->left)) {
        if (add_ref(&refs[count], receipt->left.value))
            count++;
    }
    redis_call_begin(&work->call, &script_settle);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, (int64_t)work->request.epoch);
    redis_call_arg_i64(&work->call, receipt->begun ? 0 : (int64_t)work->request.receipt);
    redis_call_arg(&work->call, receipt->kind);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        redis_call_arg_bytes(&work->call, refs[i].at, refs[i].size);
    for (size_t i = 0; i < PAIRS_PER_CALL; i++)
        text_deinit(&refs[i]);
    receipt->begun = true;
    return work_call(work, settle_answer);
}

static enum work_step settle_answer(struct work *work)
{
    const struct receipt *receipt = work->state;
    struct json_walk more = receipt->left;
    enum work_step step;
    _cleanup_(text_deinitp) struct text body = {0};

    if (refused(work, "the receipt could not be settled", &step))
        return step;
    if (json_next(&more))
        return settle_next(work);
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"result\":true");
    response_end(&body);
    return work_reply(work, &body, NULL);
}

static enum work_step plan_receipt(struct work *work, const char *kind)
{
    struct json_span pairs = json_member(work->request.body, "classIdPairs", NULL);
    struct receipt *receipt;

    if (json_kind(pairs) != JSON_ARRAY && json_kind(pairs) != JSON_NULL &&
        json_kind(pairs) != JSON_ABSENT)
        return work_error(work, CODE_MALFORMED, "classIdPairs: expected an array");
    receipt = calloc(1, sizeof(*receipt));
    if (!receipt)
        return work_error(work, CODE_INTERNAL, "no memory");
    receipt->kind = kind;
    receipt->left = json_walk(pairs);
    work->state = receipt;
    work->state_destroy = free;
    return settle_next(work);
}

enum work_step plan_updates_received(struct work *work)
{
    return plan_receipt(work, "u");
}

enum work_step plan_deletes_received(struct work *work)
{
    return plan_receipt(work, "d");
}
