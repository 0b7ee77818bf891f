#include <inttypes.h>
#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

/* What gateways tell of themselves (design section 7). Only they are answered, in a format of ours.
 */

#define NAME_MAX_BYTES   255 /* of a queue */
#define CLIENTS_PER_CALL 64

/* The gateway that speaks; NULL, with *step the answer, if none is named. */
static char *read_gateway(struct work *work, enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    char *gateway;

    if (!request_string(&work->request, "gateway", NAME_MAX_BYTES, &gateway, &problem))
        return gateway;
    *step = work_error(work, CODE_MALFORMED, text_str(&problem));
    return NULL;
}

/* ---- gatewayAlive: {"v":1,"gateway":".."} renews its lease, answered {"v":1,"lease":<number>}
 * ---- */

static enum work_step alive_answer(struct work *work)
{
    _cleanup_(text_deinitp) struct text body = {0};

    if (redis_is_error(work->call.reply))
        return work_error(work, CODE_INTERNAL, "the lease could not be renewed");
    text_addf(&body, "{\"v\":1,\"lease\":%" PRId64 "}", redis_i64(work->call.reply));
    return work_reply(work, &body, NULL);
}

enum work_step plan_gateway_alive(struct work *work)
{
    enum work_step step = WORK_DONE;
    _cleanup_(freep) char *gateway = read_gateway(work, &step);

    if (!gateway)
        return step;
    redis_call_begin(&work->call, &script_gateway_alive);
    redis_call_arg(&work->call, gateway);
    redis_call_arg_i64(&work->call,
                       clock_wall_ms() + work->agent->proc.settings.sync_gateway_lease_ms);
    return work_call(work, alive_answer);
}

/* ---- announce: {"v":1,"gateway":"..","clients":[..]} are there, answered
 *      {"v":1,"close":[["<client>",<close code>],...]} with those that should not be ---- */

struct announcement {
    char *gateway;
    struct json_walk left;
    struct text close;
};

static void announcement_destroy(void *state)
{
    struct announcement *a = state;

    free(a->gateway);
    text_deinit(&a->close);
    free(a);
}

static enum work_step announced(struct work *work);

static enum work_step announce_next(struct work *work)
{
    struct announcement *a = work->state;
    struct json_walk ahead = a->left;
    _cleanup_(text_deinitp) struct text body = {0};
    int64_t count = 0;

    while (count < CLIENTS_PER_CALL && json_next(&ahead))
        count++;
    if (!count) {
        text_addf(&body, "{\"v\":1,\"close\":[%s]}", text_str(&a->close));
        return work_reply(work, &body, NULL);
    }
    redis_call_begin(&work->call, &script_announce);
    redis_call_arg(&work->call, a->gateway);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, count);
    for (ahead = a->left; count > 0 && json_next(&ahead); count--) {
        _cleanup_(text_deinitp) struct text client = {0};

        if (json_decode(ahead.value, &client))
            text_clear(&client);
        redis_call_arg_bytes(&work->call, text_str(&client), client.size);
    }
    return work_call(work, announced);
}

static enum work_step announced(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *close = redis_item(r, 1);
    int64_t handled = redis_i64(redis_item(r, 0));
    struct announcement *a = work->state;

    if (handled <= 0)
        return work_error(work, CODE_INTERNAL, "the clients could not be bound");
    for (; handled > 0 && json_next(&a->left); handled--)
        continue;
    for (size_t i = 0; i + 1 < redis_count(close); i += 2) {
        text_add(&a->close, a->close.size ? ",[" : "[");
        text_add_json_str(&a->close, redis_str(redis_item(close, i)));
        text_addf(&a->close, ",%s]", redis_str(redis_item(close, i + 1)));
    }
    return announce_next(work);
}

enum work_step plan_announce(struct work *work)
{
    enum work_step step = WORK_DONE;
    char *gateway = read_gateway(work, &step);
    struct announcement *a;

    if (!gateway)
        return step;
    a = calloc(1, sizeof(*a));
    if (!a)
        err_out_of_memory();
    a->gateway = gateway;
    a->left = json_walk(json_member(work->request.body, "clients", NULL));
    work->state = a;
    work->state_destroy = announcement_destroy;
    return announce_next(work);
}
