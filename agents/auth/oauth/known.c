#include "agents/auth/oauth/known.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"

#define DISCOVERY "/.well-known/openid-configuration"
#define URL_MAX   4096

struct known_cache {
    int64_t max_age_ms, pause_ms;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct known *known; /* NULL: nothing yet */
    bool asking;         /* some thread does */
};

/* ---- What is known ---- */

static void known_destroy(struct known *known)
{
    if (!known)
        return;
    jwks_deinit(&known->keys);
    for (size_t i = 0; i < ARRAY_SIZE(known->texts); i++)
        free(known->texts[i]);
    free(known);
}

/* ---- Asking the provider ---- */

/* Nothing is shown to it that it could refuse. */
static enum err ask(const struct asking *asking, const char *what, const char *url,
                    struct answered *out)
{
    enum err e = asking_get(asking, what, url, NULL, out);

    if (e == ERR_REFUSED)
        asking_log_fault(asking, what, "it does not tell");
    return e;
}

/* What its document says, unless it is declared. */
static enum err learn_endpoint(const struct asking *asking, struct json_span document,
                               const char *name, char **text, const char **endpoint)
{
    struct json_span member = json_member(document, name, NULL);

    if (*endpoint || json_kind(member) == JSON_ABSENT)
        return ERR_OK;
    if (json_string(member, URL_MAX, text) || !oauth_is_url(*text)) {
        asking_log_fault(asking, "discovery", "an endpoint is no URL of https");
        return ERR_AWAY;
    }
    *endpoint = *text;
    return ERR_OK;
}

static enum err learn_endpoints(const struct asking *asking, struct json_span document,
                                struct known *known)
{
    const struct {
        const char *name;
        const char **endpoint;
    } rows[] = {
        {"token_endpoint", &known->endpoints.token},
        {"userinfo_endpoint", &known->endpoints.userinfo},
        {"jwks_uri", &known->endpoints.jwks},
        {"introspection_endpoint", &known->endpoints.introspection},
    };
    struct json_span issuer = json_member(document, "issuer", NULL);
    enum err e = ERR_OK;

    if (json_kind(issuer) != JSON_STRING || !json_string_is(issuer, asking->provider->issuer)) {
        asking_log_fault(asking, "discovery", "it is of another issuer");
        return ERR_AWAY;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows) && !e; i++)
        e = learn_endpoint(asking, document, rows[i].name, &known->texts[i], rows[i].endpoint);
    if (!e && (!known->endpoints.token || !known->endpoints.jwks)) {
        asking_log_fault(asking, "discovery", "it has no token_endpoint or no jwks_uri");
        e = ERR_AWAY;
    }
    return e;
}

static enum err discover(const struct asking *asking, struct known *known)
{
    const char *issuer = asking->provider->issuer;
    const size_t size = strlen(issuer);
    _cleanup_(text_deinitp) struct text url = {0};
    struct answered document;
    enum err e;

    text_add_bytes(&url, issuer, issuer[size - 1] == '/' ? size - 1 : size);
    text_add(&url, DISCOVERY);
    e = ask(asking, "discovery", url.at, &document);
    if (!e)
        e = learn_endpoints(asking, document.object, known);
    answered_deinit(&document);
    return e;
}

static enum err learn_keys(const struct asking *asking, struct known *known)
{
    struct answered set;
    enum err e = ask(asking, "keys", known->endpoints.jwks, &set);

    if (!e && jwks_read(set.object, &known->keys)) {
        asking_log_fault(asking, "keys", "they are no key set");
        e = ERR_AWAY;
    }
    answered_deinit(&set);
    return e;
}

static enum err learn(const struct asking *asking, struct known **out)
{
    struct known *known = calloc(1, sizeof(*known));
    enum err e = ERR_OK;

    if (!known)
        err_out_of_memory();
    known->endpoints = asking->provider->endpoints;
    known->users = 1;
    if (!oauth_declared_is_whole(asking->provider))
        e = discover(asking, known);
    if (!e && known->endpoints.jwks)
        e = learn_keys(asking, known);
    known->read_ms = clock_mono_ms();
    if (e)
        known_destroy(known);
    else
        *out = known;
    return e;
}

/* ---- The cache ---- */

struct known_cache *known_cache_create(int64_t max_age_ms, int64_t pause_ms)
{
    struct known_cache *cache = calloc(1, sizeof(*cache));
    pthread_condattr_t attributes;

    if (!cache)
        err_out_of_memory();
    cache->max_age_ms = max_age_ms;
    cache->pause_ms = pause_ms;
    pthread_mutex_init(&cache->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&cache->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return cache;
}

void known_cache_destroy(struct known_cache *cache)
{
    if (!cache)
        return;
    known_destroy(cache->known);
    pthread_cond_destroy(&cache->changed);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static void drop(struct known *known)
{
    if (known && --known->users == 0)
        known_destroy(known);
}

void known_give_back(struct known_cache *cache, struct known *known)
{
    pthread_mutex_lock(&cache->lock);
    drop(known);
    pthread_mutex_unlock(&cache->lock);
}

/* Another thread asks. False: the deadline is over. */
static bool wait_for_others(struct known_cache *cache, int64_t deadline_ms)
{
    const struct timespec until = {.tv_sec = deadline_ms / 1000,
                                   .tv_nsec = deadline_ms % 1000 * 1000000};

    return pthread_cond_timedwait(&cache->changed, &cache->lock, &until) != ETIMEDOUT;
}

/* Without the lock meanwhile. */
static enum err renew(struct known_cache *cache, const struct asking *asking)
{
    struct known *learnt = NULL;
    enum err e;

    cache->asking = true;
    pthread_mutex_unlock(&cache->lock);
    e = learn(asking, &learnt);
    pthread_mutex_lock(&cache->lock);
    cache->asking = false;
    if (!e) {
        drop(cache->known);
        cache->known = learnt;
    }
    pthread_cond_broadcast(&cache->changed);
    return e;
}

static bool is_good(const struct known_cache *cache, const struct known *than)
{
    return cache->known && cache->known != than &&
           clock_mono_ms() - cache->known->read_ms < cache->max_age_ms;
}

struct known *known_take(struct known_cache *cache, const struct asking *asking,
                         const struct known *than)
{
    struct known *found = NULL;
    enum err e = ERR_OK;

    pthread_mutex_lock(&cache->lock);
    while (!e && !is_good(cache, than)) {
        if (cache->asking)
            e = wait_for_others(cache, asking->deadline_ms) ? ERR_OK : ERR_TIMEOUT;
        else if (than && cache->known == than && clock_mono_ms() - than->read_ms < cache->pause_ms)
            e = ERR_NOT_FOUND;
        else
            e = renew(cache, asking);
    }
    if (!e) {
        found = cache->known;
        found->users++;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}
