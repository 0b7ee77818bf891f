#include "agents/runtime/aside.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/thread/msgq.h"

struct aside {
    struct aside_config config;
    pthread_t *threads;
    unsigned started;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct aside_job *first, **last; /* those that wait */
    bool stopping;
    struct msgq *back;
};

/* ---- Jobs ---- */

void aside_job_destroy(struct aside_job *job)
{
    if (!job)
        return;
    if (job->state_destroy)
        job->state_destroy(job->state);
    free(job);
}

static void destroy_job(void *job)
{
    aside_job_destroy(job);
}

void aside_put_take(struct aside *aside, struct aside_job **job)
{
    pthread_mutex_lock(&aside->lock);
    (*job)->following = NULL;
    *aside->last = *job;
    aside->last = &(*job)->following;
    pthread_cond_signal(&aside->changed);
    pthread_mutex_unlock(&aside->lock);
    *job = NULL;
}

struct aside_job *aside_take(struct aside *aside)
{
    return msgq_pop(aside->back);
}

/* ---- The threads ---- */

/* The next job; NULL: there is no more. */
static struct aside_job *wait_for_job(struct aside *aside)
{
    struct aside_job *job = NULL;

    pthread_mutex_lock(&aside->lock);
    while (!aside->first && !aside->stopping)
        pthread_cond_wait(&aside->changed, &aside->lock);
    if (!aside->stopping) {
        job = aside->first;
        aside->first = job->following;
        if (!aside->first)
            aside->last = &aside->first;
    }
    pthread_mutex_unlock(&aside->lock);
    return job;
}

static void *run(void *arg)
{
    struct aside *aside = arg;
    void *own = aside->config.open ? aside->config.open() : NULL;
    struct aside_job *job;

    while ((job = wait_for_job(aside))) {
        job->run(job->state, own);
        if (msgq_push_over_take(aside->back, &job))
            aside_job_destroy(job);
    }
    if (aside->config.close)
        aside->config.close(own);
    return NULL;
}

/* ---- Start and stop ---- */

static void stop(struct aside *aside)
{
    pthread_mutex_lock(&aside->lock);
    aside->stopping = true;
    pthread_cond_broadcast(&aside->changed);
    pthread_mutex_unlock(&aside->lock);
    for (unsigned i = 0; i < aside->started; i++)
        pthread_join(aside->threads[i], NULL);
}

void aside_destroy(struct aside *aside)
{
    if (!aside)
        return;
    stop(aside);
    while (aside->first) {
        struct aside_job *job = aside->first;

        aside->first = job->following;
        aside_job_destroy(job);
    }
    msgq_destroy(aside->back);
    pthread_cond_destroy(&aside->changed);
    pthread_mutex_destroy(&aside->lock);
    free(aside->threads);
    free(aside);
}

enum err aside_start(const struct aside_config *config, struct aside **out)
{
    struct aside *aside = calloc(1, sizeof(*aside));
    enum err e;

    if (!aside || !(aside->threads = calloc(config->threads, sizeof(*aside->threads))))
        err_out_of_memory();
    aside->config = *config;
    aside->last = &aside->first;
    pthread_mutex_init(&aside->lock, NULL);
    pthread_cond_init(&aside->changed, NULL);
    e = msgq_create(1, destroy_job, config->wake, config->arg, &aside->back);
    while (!e && aside->started < config->threads) {
        if (pthread_create(&aside->threads[aside->started], NULL, run, aside))
            e = ERR_IO;
        else
            aside->started++;
    }
    if (e)
        aside_destroy(aside);
    else
        *out = aside;
    return e;
}
