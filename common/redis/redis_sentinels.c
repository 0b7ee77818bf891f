#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "common/base/log.h"
#include "common/redis/redis_link.h"
#include "common/redis/redis_private.h"

#define SENTINEL_PATIENCE_MS 1000
#define HIGHEST_PORT         65535

struct sentinel {
    const char *host; /* points into the list */
    int port;
};

struct redis_sentinels {
    char *list;
    struct sentinel *all;
    size_t count;
    size_t first; /* whom to ask first the next time */
    char *name;
    char *password; /* NULL: none */
    struct timeval timeout;
    char *primary; /* the host that was told last */
};

/* ---- Life ---- */

/* Takes "host:port" apart, in place. */
static bool parse_sentinel(char *str, struct sentinel *out)
{
    char *port = strrchr(str, ':');

    if (!port || port == str || !redis_is_number(port + 1, HIGHEST_PORT) || !atoi(port + 1))
        return false;
    *port = '\0';
    *out = (struct sentinel){str, atoi(port + 1)};
    return true;
}

static enum err parse_list(struct redis_sentinels *sentinels)
{
    char *rest = sentinels->list, *item;

    while ((item = strsep(&rest, ","))) {
        struct sentinel *grown = reallocarray(sentinels->all, sentinels->count + 1, sizeof(*grown));

        if (!grown)
            return ERR_NOMEM;
        sentinels->all = grown;
        item += strspn(item, " ");
        if (!parse_sentinel(item, &grown[sentinels->count++]))
            return ERR_CONFIG;
    }
    return ERR_OK;
}

static bool copy_texts(struct redis_sentinels *sentinels, const struct redis_config *config)
{
    const char *password = config->sentinel_password;

    sentinels->list = strdup(config->sentinels);
    sentinels->name = strdup(config->sentinel_name ? config->sentinel_name : "");
    if (password && *password)
        sentinels->password = strdup(password);
    return sentinels->list && sentinels->name && (sentinels->password || !password || !*password);
}

enum err redis_sentinels_create(const struct redis_config *config, struct redis_sentinels **out)
{
    struct redis_sentinels *sentinels = calloc(1, sizeof(*sentinels));
    int64_t timeout_ms =
        config->timeout_ms < SENTINEL_PATIENCE_MS ? config->timeout_ms : SENTINEL_PATIENCE_MS;
    enum err e;

    if (!sentinels)
        return ERR_NOMEM;
    sentinels->timeout = (struct timeval){timeout_ms / 1000, timeout_ms % 1000 * 1000};
    e = copy_texts(sentinels, config) ? parse_list(sentinels) : ERR_NOMEM;
    if (e) {
        redis_sentinels_destroy(sentinels);
        return e;
    }
    *out = sentinels;
    return ERR_OK;
}

void redis_sentinels_destroy(struct redis_sentinels *sentinels)
{
    if (!sentinels)
        return;
    if (sentinels->password)
        explicit_bzero(sentinels->password, strlen(sentinels->password));
    free(sentinels->password);
    free(sentinels->name);
    free(sentinels->list);
    free(sentinels->all);
    free(sentinels->primary);
    free(sentinels);
}

/* ---- Asking ---- */

/* The address is a host and a port, or nil when this one does not know the name. */
static bool take_address(struct redis_sentinels *sentinels, const struct redis_reply *address,
                         struct redis_place *place)
{
    char *host = redis_count(address) == 2 ? strdup(redis_str(redis_item(address, 0))) : NULL;

    if (!host)
        return false;
    free(sentinels->primary);
    sentinels->primary = host;
    place->host = host;
    place->port = (int)redis_i64(redis_item(address, 1));
    return true;
}

static bool ask(struct redis_sentinels *sentinels, const struct redis_place *at,
                redisContext *context, struct redis_place *place)
{
    redisReply *reply;
    bool known;

    if (sentinels->password &&
        !redis_place_tell(at, context, (const char *const[]){"AUTH", sentinels->password, NULL}))
        return false;
    reply = redis_place_ask(
        at, context, (const char *const[]){"SENTINEL", "get-master-addr-by-name", sentinels->name});
    if (!reply)
        return false;
    known = take_address(sentinels, (const void *)reply, place);
    if (!known)
        redis_place_log(at, "redis.unknown_name", sentinels->name);
    freeReplyObject(reply);
    return known;
}

static bool ask_one(struct redis_sentinels *sentinels, const struct sentinel *sentinel,
                    struct redis_place *place)
{
    const struct redis_place at = {.host = sentinel->host,
                                   .port = sentinel->port,
                                   .client = place->client,
                                   .timeout = sentinels->timeout};
    redisContext *context = redis_place_open(&at);
    bool known = context && ask(sentinels, &at, context, place);

    if (context)
        redisFree(context);
    return known;
}

bool redis_sentinels_find(struct redis_sentinels *sentinels, struct redis_place *place)
{
    size_t first = sentinels->first++ % sentinels->count;

    for (size_t i = 0; i < sentinels->count; i++)
        if (ask_one(sentinels, &sentinels->all[(first + i) % sentinels->count], place))
            return true;
    return false;
}
