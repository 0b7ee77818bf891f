#include "common/process/service.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define EAGER_US 100000U  /* between looks, until it is ready */
#define CALM_US  1000000U /* and then, unless the watchdog is sooner */
#define BEATS    4U       /* in the time within which the watchdog wants one */

struct service {
    struct status_source source;
    pthread_t thread;
    uint64_t calm_us;
    bool has_watchdog;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    /* Under the lock: */
    bool ready, ending;
    struct text told; /* the last STATUS */
};

static void tell(const char *what)
{
    const int e = sd_notify(0, what);

    if (e < 0)
        log_warn("service.not_told", LOG_STR("reason", strerror(-e)));
}

/* ---- The thread ---- */

/* Lines, each with its end, as one. */
static void add_joined(struct text *out, const struct text *lines)
{
    for (size_t i = 0; i + 1 < lines->size; i++)
        text_add(out, lines->at[i] == '\n' ? "; " : (const char[]){lines->at[i], '\0'});
}

static void tell_status(struct service *s, const struct text *faults)
{
    _cleanup_(text_deinitp) struct text line = {0};

    text_add(&line, "STATUS=");
    if (faults->size)
        add_joined(&line, faults);
    else
        text_add(&line, "ready");
    if (!strcmp(text_str(&s->told), line.at))
        return;
    text_clear(&s->told);
    text_add(&s->told, line.at);
    tell(line.at);
}

static void look(struct service *s)
{
    _cleanup_(text_deinitp) struct text faults = {0};
    bool moves, serves;

    s->source.stands_still(s->source.arg, &faults);
    moves = !faults.size;
    s->source.missing(s->source.arg, &faults);
    serves = !faults.size;
    tell_status(s, &faults);
    if (serves && !s->ready) {
        s->ready = true;
        tell("READY=1");
    }
    if (moves && s->has_watchdog)
        tell("WATCHDOG=1");
}

static void sleep_us(struct service *s, uint64_t us)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    us += (uint64_t)until.tv_nsec / 1000;
    until.tv_sec += (time_t)(us / 1000000);
    until.tv_nsec = (long)(us % 1000000) * 1000;
    (void)pthread_cond_timedwait(&s->woken, &s->lock, &until);
}

static void *run(void *arg)
{
    struct service *s = arg;

    (void)pthread_setname_np(pthread_self(), "service"); /* for top -H */
    pthread_mutex_lock(&s->lock);
    while (!s->ending) {
        look(s);
        sleep_us(s, s->ready || s->calm_us < EAGER_US ? s->calm_us : EAGER_US);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- From other threads ---- */

/* One that is not ready yet cannot tell that it is, once more. */
static void tell_if_ready(struct service *s, const char *what)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    if (s->ready)
        tell(what);
    pthread_mutex_unlock(&s->lock);
}

void service_reloading(struct service *s)
{
    _cleanup_(text_deinitp) struct text what = {0};

    text_addf(&what, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
    tell_if_ready(s, what.at);
}

void service_reloaded(struct service *s)
{
    tell_if_ready(s, "READY=1");
}

void service_stopping(struct service *s)
{
    if (s)
        tell("STOPPING=1");
}

/* ---- Life ---- */

static void init_woken(struct service *s)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->woken, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void free_service(struct service *s)
{
    pthread_cond_destroy(&s->woken);
    pthread_mutex_destroy(&s->lock);
    text_deinit(&s->told);
    free(s);
}

enum err service_start(const struct status_source *source, struct service **out)
{
    struct service *s;
    uint64_t watchdog_us = 0;

    *out = NULL;
    if (!getenv("NOTIFY_SOCKET"))
        return ERR_OK;
    s = calloc(1, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->source = *source;
    s->has_watchdog = sd_watchdog_enabled(0, &watchdog_us) > 0;
    s->calm_us = s->has_watchdog && watchdog_us / BEATS < CALM_US ? watchdog_us / BEATS : CALM_US;
    pthread_mutex_init(&s->lock, NULL);
    init_woken(s);
    if (pthread_create(&s->thread, NULL, run, s) != 0) {
        free_service(s);
        return ERR_IO;
    }
    *out = s;
    return ERR_OK;
}

void service_end(struct service *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->woken);
    pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->thread, NULL);
    free_service(s);
}
