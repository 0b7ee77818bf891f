#include "common/redis/redis_link.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "common/base/backoff.h"
#include "common/base/log.h"
#include "common/redis/redis_private.h"

#define FLUSH_CALLS 1000    /* more at once fill the socket buffers of both ends */
#define FLUSH_BYTES 4194304 /* of arguments; a single larger call is a flush of its own */

/* ---- Life ---- */

static enum err set_place(struct redis_link *link, const struct redis_config *config)
{
    enum err e = redis_address_parse(config->url, &link->given);

    if (e)
        return e;
    link->place = (struct redis_place){
        .path = link->given.path,
        .host = link->given.host,
        .port = link->given.port,
        .client = link->client_name,
        .timeout = {config->timeout_ms / 1000, config->timeout_ms % 1000 * 1000},
    };
    if (!config->sentinels || !*config->sentinels)
        return ERR_OK;
    return redis_sentinels_create(config, &link->sentinels);
}

enum err redis_link_create(const struct redis_config *config, const char *client_name,
                           struct redis_link **out)
{
    struct redis_link *link = calloc(1, sizeof(*link));
    enum err e;

    if (!link)
        return ERR_NOMEM;
    link->wait_replicas = config->wait_replicas;
    link->wait_ms = config->wait_ms;
    link->client_name = strdup(client_name);
    e = link->client_name ? set_place(link, config) : ERR_NOMEM;
    if (e) {
        redis_link_destroy(link);
        return e;
    }
    *out = link;
    return ERR_OK;
}

static void disconnect(struct redis_link *link)
{
    if (link->context)
        redisFree(link->context);
    link->context = NULL;
}

void redis_link_destroy(struct redis_link *link)
{
    if (!link)
        return;
    disconnect(link);
    redis_address_deinit(&link->given);
    redis_sentinels_destroy(link->sentinels);
    free(link->client_name);
    free(link->known);
    free(link->words);
    free(link->sizes);
    free(link);
}

/* ---- Connecting ---- */

/* Only a primary takes what we write, and is where it stays. */
static bool is_primary(struct redis_link *link)
{
    redisReply *reply =
        redis_place_ask(&link->place, link->context, (const char *const[]){"ROLE", NULL, NULL});
    const char *role = redis_str(redis_item((const void *)reply, 0));
    bool primary = strcmp(role, "master") == 0;

    if (reply && !primary)
        redis_place_log(&link->place, "redis.no_primary", role);
    if (reply)
        freeReplyObject(reply);
    return primary;
}

static bool tell(struct redis_link *link, const char *const words[REDIS_WORDS])
{
    return redis_place_tell(&link->place, link->context, words);
}

/* PING, because a Redis that is still loading its file answers it with an error. */
static bool introduce(struct redis_link *link)
{
    const struct redis_address *given = &link->given;

    return (!given->password ||
            tell(link, (const char *const[]){"AUTH", given->user, given->password})) &&
           (!given->database ||
            tell(link, (const char *const[]){"SELECT", given->database, NULL})) &&
           tell(link, (const char *const[]){"CLIENT", "SETNAME", link->client_name}) &&
           tell(link, (const char *const[]){"PING", NULL, NULL}) && is_primary(link);
}

static bool connect_link(struct redis_link *link)
{
    if (link->sentinels && !redis_sentinels_find(link->sentinels, &link->place))
        return false;
    link->context = redis_place_open(&link->place);
    return link->context && introduce(link);
}

static bool come_up(struct redis_link *link)
{
    if (backoff_left_ms(&link->backoff) > 0)
        return false;
    if (!connect_link(link)) {
        disconnect(link);
        backoff_failed(&link->backoff);
        return false;
    }
    backoff_succeeded(&link->backoff);
    log_info("redis.up", LOG_STR("client", link->client_name),
             LOG_STR("host", link->place.path ? link->place.path : link->place.host),
             LOG_I64("port", link->place.port));
    return true;
}

static void go_down(struct redis_link *link, const char *reason)
{
    redis_place_log(&link->place, "redis.down", reason);
    disconnect(link);
    backoff_failed(&link->backoff);
}

/* ---- A batch ---- */

/* Errors that are no answer: another Redis, or this one at another time, is to be asked. */
static bool is_elsewhere(const struct redis_reply *reply)
{
    static const char *const beginnings[] = {
        "READONLY ",   /* it is a replica by now */
        "MASTERDOWN ", /* it is one that is cut off */
        "NOREPLICAS ", /* it has fewer replicas than it needs to take writes */
        "LOADING ",
    };

    if (!redis_is_error(reply))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
        if (!strncmp(redis_str(reply), beginnings[i], strlen(beginnings[i])))
            return true;
    return false;
}

static const struct redis_reply *find_elsewhere(struct redis_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_elsewhere(calls[i]->reply))
            return calls[i]->reply;
    return NULL;
}

/* How many of the calls go into one flush; at least one. */
static size_t flush_count(struct redis_call *const *calls, size_t count)
{
    size_t bytes = 0, n = 0;

    while (n < count && n < FLUSH_CALLS && bytes < FLUSH_BYTES)
        bytes += calls[n++]->args.size;
    return n;
}

static void forget_replies(struct redis_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        redis_call_forget_reply(calls[i]);
}

static enum err run_calls(struct redis_link *link, struct redis_call *const *calls, size_t count)
{
    const struct redis_reply *elsewhere;
    size_t run = 0;

    while (run < count) {
        size_t n = flush_count(calls + run, count - run);

        if (!redis_batch_flush(link, calls + run, n)) {
            go_down(link, link->context->errstr);
            return ERR_AWAY;
        }
        run += n;
    }
    elsewhere = find_elsewhere(calls, count);
    if (elsewhere)
        go_down(link, redis_str(elsewhere));
    return elsewhere ? ERR_AWAY : ERR_OK;
}

/* ---- Replicas ---- */

/* WAIT looks at what its own connection has replicated last. What the calls have only seen may have
 * been written by others and be on its way: a message to a channel that nobody hears is replicated
 * behind all of it, stays nowhere, and is taken also when memory is full. */
static bool ask_replicas(struct redis_link *link, int64_t *have)
{
    struct redis_call mark = {0}, wait = {0}, *calls[] = {&mark, &wait};
    bool told;

    redis_call_begin(&mark, NULL);
    redis_call_arg(&mark, "PUBLISH");
    redis_call_arg(&mark, "activestack.replicated");
    redis_call_arg(&mark, "");
    redis_call_begin(&wait, NULL);
    redis_call_arg(&wait, "WAIT");
    redis_call_arg_i64(&wait, link->wait_replicas);
    redis_call_arg_i64(&wait, link->wait_ms);
    told = redis_batch_flush(link, calls, ARRAY_SIZE(calls));
    *have = redis_is_error(mark.reply) || redis_is_error(wait.reply) ? -1 : redis_i64(wait.reply);
    if (told && *have < 0)
        redis_place_log(&link->place, "redis.refused",
                        redis_str(redis_is_error(mark.reply) ? mark.reply : wait.reply));
    redis_call_deinit(&mark);
    redis_call_deinit(&wait);
    return told;
}

/* Is what the calls have written, and seen, where it survives the loss of the primary? If not, the
 * link is left: there may be another primary by now, which the replicas follow. */
static bool is_replicated(struct redis_link *link)
{
    int64_t have;

    if (!link->wait_replicas)
        return true;
    if (!ask_replicas(link, &have)) {
        go_down(link, link->context->errstr);
        return false;
    }
    if (have >= link->wait_replicas)
        return true;
    log_warn("redis.not_replicated", LOG_STR("client", link->client_name),
             LOG_I64("replicas", have < 0 ? 0 : have), LOG_I64("expected", link->wait_replicas));
    go_down(link, "too few replicas have what was written");
    return false;
}

enum err redis_link_run(struct redis_link *link, struct redis_call *const *calls, size_t count)
{
    enum err e;

    forget_replies(calls, count);
    if (!link->context && !come_up(link))
        return ERR_AWAY;
    e = run_calls(link, calls, count);
    if (!e && count && !is_replicated(link))
        e = ERR_AWAY;
    if (e)
        forget_replies(calls, count);
    return e;
}
