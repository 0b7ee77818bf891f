#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "common/redis/redis_link.h"
#include "common/redis/redis_private.h"

/* ---- Calls ---- */

void redis_call_forget_reply(struct redis_call *call)
{
    if (call->reply)
        freeReplyObject(call->reply);
    call->reply = NULL;
}

void redis_call_begin(struct redis_call *call, const struct redis_script *script)
{
    redis_call_forget_reply(call);
    text_clear(&call->args);
    call->count = 0;
    call->script = script;
}

void redis_call_arg_bytes(struct redis_call *call, const void *bytes, size_t size)
{
    if (call->count == call->room) {
        size_t room = call->room ? call->room * 2 : 8;
        size_t *ends = reallocarray(call->ends, room, sizeof(*ends));

        if (!ends)
            abort(); /* as struct text does, which holds the arguments */
        call->ends = ends;
        call->room = room;
    }
    text_add_bytes(&call->args, bytes, size);
    call->ends[call->count++] = call->args.size;
}

void redis_call_arg(struct redis_call *call, const char *str)
{
    redis_call_arg_bytes(call, str, strlen(str));
}

void redis_call_arg_i64(struct redis_call *call, int64_t value)
{
    _cleanup_(text_deinitp) struct text digits = {0};

    text_add_i64(&digits, value);
    redis_call_arg_bytes(call, digits.at, digits.size);
}

void redis_call_deinit(struct redis_call *call)
{
    redis_call_forget_reply(call);
    text_deinit(&call->args);
    free(call->ends);
    memset(call, 0, sizeof(*call));
}

/* ---- Replies ---- */

static const redisReply *of_kind(const struct redis_reply *r, int kind)
{
    const redisReply *reply = (const void *)r;

    return reply && reply->type == kind ? reply : NULL;
}

/* Status, string and error replies carry bytes. */
static const redisReply *with_bytes(const struct redis_reply *r)
{
    const redisReply *reply = of_kind(r, REDIS_REPLY_STRING);

    if (!reply)
        reply = of_kind(r, REDIS_REPLY_STATUS);
    return reply ? reply : of_kind(r, REDIS_REPLY_ERROR);
}

bool redis_is_error(const struct redis_reply *r)
{
    return of_kind(r, REDIS_REPLY_ERROR) != NULL;
}

bool redis_is_nil(const struct redis_reply *r)
{
    return !r || of_kind(r, REDIS_REPLY_NIL);
}

const char *redis_str(const struct redis_reply *r)
{
    const redisReply *reply = with_bytes(r);

    return reply ? reply->str : "";
}

size_t redis_size(const struct redis_reply *r)
{
    const redisReply *reply = with_bytes(r);

    return reply ? reply->len : 0;
}

int64_t redis_i64(const struct redis_reply *r)
{
    const redisReply *reply = of_kind(r, REDIS_REPLY_INTEGER);
    char *end;
    long long value;

    if (reply)
        return reply->integer;
    reply = of_kind(r, REDIS_REPLY_STRING);
    if (!reply)
        return 0;
    value = strtoll(reply->str, &end, 10);
    return end == reply->str + reply->len ? value : 0;
}

size_t redis_count(const struct redis_reply *r)
{
    const redisReply *reply = of_kind(r, REDIS_REPLY_ARRAY);

    return reply ? reply->elements : 0;
}

const struct redis_reply *redis_item(const struct redis_reply *r, size_t i)
{
    const redisReply *reply = of_kind(r, REDIS_REPLY_ARRAY);

    return reply && i < reply->elements ? (const void *)reply->element[i] : NULL;
}
