#include <hiredis/hiredis.h>

#include "common/base/log.h"
#include "common/redis/redis_private.h"

#define READ_KEPT 1048576 /* read buffer that is not given back after a large reply */

void redis_place_log(const struct redis_place *place, const char *event, const char *reason)
{
    log_warn(event, LOG_STR("client", place->client),
             LOG_STR("host", place->path ? place->path : place->host), LOG_I64("port", place->port),
             LOG_STR("reason", reason));
}

static bool is_open(const struct redis_place *place, redisContext *context)
{
    if (context->err || redisSetTimeout(context, place->timeout) != REDIS_OK) {
        redis_place_log(place, "redis.connect_failed", context->errstr);
        return false;
    }
    if (!place->path)
        (void)redisEnableKeepAlive(context);
    context->reader->maxbuf = READ_KEPT;
    return true;
}

redisContext *redis_place_open(const struct redis_place *place)
{
    redisContext *context = place->path
                                ? redisConnectUnixWithTimeout(place->path, place->timeout)
                                : redisConnectWithTimeout(place->host, place->port, place->timeout);

    if (!context || is_open(place, context))
        return context;
    redisFree(context);
    return NULL;
}

redisReply *redis_place_ask(const struct redis_place *place, redisContext *context,
                            const char *const words[REDIS_WORDS])
{
    const char *given[REDIS_WORDS];
    redisReply *reply;
    int count = 0;

    for (size_t i = 0; i < REDIS_WORDS; i++)
        if (words[i])
            given[count++] = words[i];
    reply = redisCommandArgv(context, count, given, NULL);
    if (reply && reply->type != REDIS_REPLY_ERROR)
        return reply;
    redis_place_log(place, "redis.refused", reply ? reply->str : context->errstr);
    if (reply)
        freeReplyObject(reply);
    return NULL;
}

bool redis_place_tell(const struct redis_place *place, redisContext *context,
                      const char *const words[REDIS_WORDS])
{
    redisReply *reply = redis_place_ask(place, context, words);

    if (reply)
        freeReplyObject(reply);
    return reply != NULL;
}
