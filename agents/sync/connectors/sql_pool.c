#include "agents/sync/connectors/sql_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "agents/sync/connectors/sql_declared.h"
#include "agents/sync/connectors/sql_link.h"
#include "common/base/clock.h"

struct sql_pool {
    const struct sql_database *database;
    pthread_mutex_t lock;     /* for what follows */
    pthread_cond_t came_back; /* a link did, or the right to make one */
    int64_t lent;
    size_t idle_count;
    struct sql_link *idle[SQL_CONNECTIONS_MAX];
};

struct sql_pool *sql_pool_create(const struct sql_database *database)
{
    struct sql_pool *pool = calloc(1, sizeof(*pool));
    pthread_condattr_t attributes;

    if (!pool)
        err_out_of_memory();
    pool->database = database;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->came_back, &attributes);
    pthread_condattr_destroy(&attributes);
    return pool;
}

void sql_pool_destroy(struct sql_pool *pool)
{
    if (!pool)
        return;
    while (pool->idle_count)
        sql_link_close(pool->idle[--pool->idle_count]);
    pthread_cond_destroy(&pool->came_back);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* The right to one link, and an idle one if there is any. */
static enum err borrow(struct sql_pool *pool, int64_t deadline_ms, struct sql_link **idle_out)
{
    const struct timespec until = {.tv_sec = deadline_ms / 1000,
                                   .tv_nsec = deadline_ms % 1000 * 1000000};
    enum err e = ERR_OK;

    pthread_mutex_lock(&pool->lock);
    while (pool->lent >= pool->database->connections && !e) {
        if (pthread_cond_timedwait(&pool->came_back, &pool->lock, &until) == ETIMEDOUT)
            e = pool->lent >= pool->database->connections ? ERR_FULL : ERR_OK;
    }
    if (!e) {
        pool->lent++;
        *idle_out = pool->idle_count ? pool->idle[--pool->idle_count] : NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    return e;
}

static void give_back(struct sql_pool *pool, struct sql_link *usable)
{
    pthread_mutex_lock(&pool->lock);
    pool->lent--;
    if (usable)
        pool->idle[pool->idle_count++] = usable;
    pthread_cond_signal(&pool->came_back);
    pthread_mutex_unlock(&pool->lock);
}

enum err sql_pool_take(struct sql_pool *pool, int64_t deadline_ms, struct sql_link **out)
{
    struct sql_link *link = NULL;
    enum err e = borrow(pool, deadline_ms, &link);

    if (e)
        return e;
    if (link && !sql_link_is_usable(link)) {
        sql_link_close(link);
        link = NULL;
    }
    if (!link)
        e = sql_link_open(pool->database, deadline_ms, &link);
    if (e)
        give_back(pool, NULL);
    else
        *out = link;
    return e;
}

void sql_pool_give_back(struct sql_pool *pool, struct sql_link *link)
{
    if (!sql_link_is_usable(link)) {
        sql_link_close(link);
        link = NULL;
    }
    give_back(pool, link);
}
