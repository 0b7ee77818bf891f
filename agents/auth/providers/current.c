#include "agents/auth/providers/current.h"

#include <pthread.h>
#include <stdlib.h>

struct current {
    pthread_mutex_t lock; /* of what follows */
    struct providers *now;
};

enum err current_create(const struct settings *settings, struct current **out,
                        struct text *problems)
{
    struct providers *now;
    enum err e = providers_open(settings, &now, problems);

    *out = NULL;
    if (e)
        return e;
    *out = calloc(1, sizeof(**out));
    if (!*out)
        err_out_of_memory();
    pthread_mutex_init(&(*out)->lock, NULL);
    (*out)->now = now;
    return ERR_OK;
}

void current_destroy(struct current *c)
{
    if (!c)
        return;
    providers_unref(c->now);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

enum err current_reload(struct current *c, const struct settings *settings, struct text *problems)
{
    struct providers *before, *read;
    enum err e = providers_open(settings, &read, problems);

    if (e)
        return e;
    pthread_mutex_lock(&c->lock);
    before = c->now;
    c->now = read;
    pthread_mutex_unlock(&c->lock);
    providers_unref(before);
    return ERR_OK;
}

struct providers *current_ref(struct current *c)
{
    struct providers *now;

    pthread_mutex_lock(&c->lock);
    now = providers_ref(c->now);
    pthread_mutex_unlock(&c->lock);
    return now;
}
