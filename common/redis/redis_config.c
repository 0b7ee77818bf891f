#include "common/redis/redis_link.h"
#include "common/redis/redis_private.h"

static bool is_set(const char *str)
{
    return str && *str;
}

static enum err check_url(const struct redis_config *config, struct text *problems)
{
    struct redis_address address;
    enum err e = redis_address_parse(config->url, &address);

    if (e == ERR_CONFIG)
        text_add(problems, "redis.url: not of the form redis://:password@host:port/db or "
                           "unix:///path\n");
    if (!e && address.path && is_set(config->sentinels)) {
        text_add(problems, "redis.url: sentinels lead to a host and a port; expected "
                           "redis://:password@host/db where redis.sentinels is set\n");
        e = ERR_CONFIG;
    }
    redis_address_deinit(&address);
    return e;
}

static enum err check_sentinels(const struct redis_config *config, struct text *problems)
{
    _cleanup_(redis_sentinels_destroyp) struct redis_sentinels *sentinels = NULL;
    enum err e;

    if (!is_set(config->sentinels)) {
        if (!is_set(config->sentinel_name))
            return ERR_OK;
        text_add(problems, "redis.sentinels: not set, though redis.sentinel_name is\n");
        return ERR_CONFIG;
    }
    e = redis_sentinels_create(config, &sentinels);
    if (e == ERR_CONFIG)
        text_add(problems, "redis.sentinels: not of the form host:port,host:port\n");
    if (!is_set(config->sentinel_name)) {
        text_add(problems, "redis.sentinel_name: not set, though redis.sentinels is\n");
        e = e ? e : ERR_CONFIG;
    }
    return e;
}

/* Else the connection would count as lost while replicas still have time. */
static enum err check_wait(const struct redis_config *config, struct text *problems)
{
    if (!config->wait_replicas || config->wait_ms < config->timeout_ms)
        return ERR_OK;
    text_add(problems, "redis.wait_ms: has to be less than redis.timeout_ms\n");
    return ERR_CONFIG;
}

enum err redis_config_check(const struct redis_config *config, struct text *problems)
{
    const enum err found[] = {check_url(config, problems), check_sentinels(config, problems),
                              check_wait(config, problems)};
    enum err e = ERR_OK;

    for (size_t i = 0; i < ARRAY_SIZE(found); i++)
        e = e == ERR_OK ? found[i] : e;
    return e;
}
