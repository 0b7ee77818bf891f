#include "agents/sync/pushes/receipts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

/*
 * updatesReceived, deletesReceived: push receipts (spec 3.6; design section 9). A gateway sends
 * those of all its clients at once, and says of each pair for which send (mark.lua) it is:
 *
 *     {"v":1,"receipts":[{"client":"..","pairs":[["<class>:<id>",<number>],...]},...]}
 *
 * It is answered {"v":1,"unknown":["<client>",...]}. A request that was published by hand has
 * classIdPairs, as clients write them; then what was sent last counts.
 *
 * repliesReceived: the same for replies, {"v":1,"receipts":[{"client":"..","ids":[..]},...]}.
 */

#define PER_CALL 250 /* so that a huge receipt does not hold Redis */

struct receipts {
    enum receipt_of { OF_UPDATES, OF_DELETES, OF_REPLIES } of;
    bool by_hand;
    struct json_walk clients; /* of a gateway: those that no call has carried yet */
    struct text client;       /* whose items these are */
    struct json_walk items;   /* those that no call has carried yet */
    bool has_client;          /* with no item yet in a call */
    struct text unknown;
};

static void receipts_destroy(void *state)
{
    struct receipts *receipts = state;

    text_deinit(&receipts->client);
    text_deinit(&receipts->unknown);
    free(receipts);
}

/* ---- What a call carries ---- */

/* ["<class>:<id>",<number>] */
static bool read_sent(struct json_span pair, struct text *ref, struct text *number)
{
    struct json_walk parts = json_walk(pair);
    int64_t value;

    if (!json_next(&parts) || json_decode(parts.value, ref) || !json_next(&parts) ||
        json_int64(parts.value, &value))
        return false;
    text_addf(number, "%" PRId64, value);
    return true;
}

static bool read_pair(struct json_span pair, struct text *ref)
{
    if (json_decode(json_member(pair, "className", NULL), ref))
        return false;
    text_add_char(ref, ':');
    return json_decode(json_member(pair, "ID", NULL), ref) == ERR_OK;
}

/* What names nothing is passed over. */
static bool read_item(const struct receipts *receipts, struct text *ref, struct text *number)
{
    const struct json_span item = receipts->items.value;

    if (receipts->of == OF_REPLIES)
        return json_decode(item, ref) == ERR_OK;
    return receipts->by_hand ? read_pair(item, ref) : read_sent(item, ref, number);
}

static void add_item(struct work *work, const struct text *ref, const struct text *number)
{
    const struct receipts *receipts = work->state;

    redis_call_arg_bytes(&work->call, text_str(&receipts->client), receipts->client.size);
    redis_call_arg_bytes(&work->call, text_str(ref), ref->size);
    if (receipts->of != OF_REPLIES)
        redis_call_arg_bytes(&work->call, text_str(number), number->size);
}

/* The next client of a gateway's message; false: there is none. */
static bool next_client(struct receipts *receipts)
{
    const char *items = receipts->of == OF_REPLIES ? "ids" : "pairs";

    while (json_next(&receipts->clients)) {
        text_clear(&receipts->client);
        if (json_decode(json_member(receipts->clients.value, "client", NULL), &receipts->client))
            continue;
        receipts->items = json_walk(json_member(receipts->clients.value, items, NULL));
        receipts->has_client = true;
        return true;
    }
    return false;
}

/* Adds the next item, or, of a client that has none, just the client. False: nothing is left. */
static bool add_next(struct work *work)
{
    struct receipts *receipts = work->state;

    for (;;) {
        _cleanup_(text_deinitp) struct text ref = {0}, number = {0};

        if (json_next(&receipts->items)) {
            if (!read_item(receipts, &ref, &number))
                continue;
        } else if (!receipts->has_client) {
            if (!next_client(receipts))
                return false;
            continue;
        }
        receipts->has_client = false;
        add_item(work, &ref, &number);
        return true;
    }
}

/* ---- The calls ---- */

int64_t receipts_pause_ms(const struct work *work)
{
    const int64_t late_ms = work->agent->proc.settings.sync_receipts_late_ms;

    return clock_wall_ms() - work->request.accepted_ms > late_ms ? late_ms : 0;
}

static void begin_call(struct work *work)
{
    static const char *const kinds[] = {[OF_UPDATES] = "u", [OF_DELETES] = "d"};
    const struct receipts *receipts = work->state;

    if (receipts->of == OF_REPLIES) {
        redis_call_begin(&work->call, &script_replies_received);
        redis_call_arg_i64(&work->call, clock_wall_ms());
        return;
    }
    redis_call_begin(&work->call, &script_settle);
    redis_call_arg(&work->call, kinds[receipts->of]);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, receipts_pause_ms(work));
}

static enum work_step answer(struct work *work)
{
    const struct receipts *receipts = work->state;
    _cleanup_(text_deinitp) struct text body = {0};

    if (!receipts->by_hand) {
        text_addf(&body, "{\"v\":1,\"unknown\":[%s]}", text_str(&receipts->unknown));
        return work_reply(work, &body, NULL);
    }
    if (receipts->unknown.size)
        return work_error(work, CODE_INVALID_CLIENT, "this client is not known; log in");
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"result\":true");
    response_end(&body);
    return work_reply(work, &body, NULL);
}

static enum work_step settled(struct work *work);

static enum work_step settle_next(struct work *work)
{
    size_t count = 0;

    begin_call(work);
    while (count < PER_CALL && add_next(work))
        count++;
    return count ? work_call(work, settled) : answer(work);
}

static enum work_step settled(struct work *work)
{
    struct receipts *receipts = work->state;
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the receipts could not be settled");
    for (size_t i = 0; receipts->of != OF_REPLIES && i < redis_count(r); i++) {
        if (receipts->unknown.size)
            text_add_char(&receipts->unknown, ',');
        text_add_json_str(&receipts->unknown, redis_str(redis_item(r, i)));
    }
    return settle_next(work);
}

/* ---- Requests ---- */

static struct receipts *receipts_create(struct work *work, enum receipt_of of)
{
    struct receipts *receipts = calloc(1, sizeof(*receipts));

    if (!receipts)
        err_out_of_memory();
    receipts->of = of;
    work->state = receipts;
    work->state_destroy = receipts_destroy;
    return receipts;
}

static enum work_step plan_by_hand(struct work *work, struct receipts *receipts)
{
    struct json_span pairs = json_member(work->request.body, "classIdPairs", NULL);
    enum json_kind kind = json_kind(pairs);

    if (kind != JSON_ARRAY && kind != JSON_NULL && kind != JSON_ABSENT)
        return work_error(work, CODE_MALFORMED, "classIdPairs: expected an array");
    receipts->by_hand = receipts->has_client = true;
    text_add(&receipts->client, work->request.client);
    receipts->items = json_walk(pairs);
    return settle_next(work);
}

static enum work_step plan(struct work *work, enum receipt_of of)
{
    struct receipts *receipts = receipts_create(work, of);
    struct json_span clients = json_member(work->request.body, "receipts", NULL);

    if (of != OF_REPLIES && json_kind(clients) != JSON_ARRAY)
        return plan_by_hand(work, receipts);
    receipts->clients = json_walk(clients);
    return settle_next(work);
}

enum work_step plan_updates_received(struct work *work)
{
    return plan(work, OF_UPDATES);
}

enum work_step plan_deletes_received(struct work *work)
{
    return plan(work, OF_DELETES);
}

enum work_step plan_replies_received(struct work *work)
{
    return plan(work, OF_REPLIES);
}
