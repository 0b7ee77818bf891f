#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/amqp/asker.h"
#include "common/model/model.h"
#include "common/process/config.h"
#include "common/process/settings.h"
#include "common/redis/redis_link.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/options.h"

/* A setting of Redis without which promise "accepted is not lost" does not hold. */
struct demand {
    const char *name;
    const char *value;
    const char *why;
};

static const struct demand demands[] = {
    {"appendonly", "yes", "after a restart everything would be gone"},
    {"appendfsync", "always", "a power cut would lose what was already acknowledged"},
    {"maxmemory-policy", "noeviction", "it would throw data away when memory is short"},
};

/* Runs a command of so many words; false, which is told: Redis cannot be reached. */
static bool ask(struct redis_link *link, const char *const *words, size_t count,
                struct redis_call *call)
{
    redis_call_begin(call, NULL);
    for (size_t i = 0; i < count; i++)
        redis_call_arg(call, words[i]);
    if (redis_link_run(link, &call, 1) == ERR_OK)
        return true;
    fputs("redis.url: Redis cannot be reached, or refuses us\n", stderr);
    return false;
}

static int tell_weak(bool allow_weak)
{
    fputs(allow_weak ? " (allowed by redis.allow_weak)\n" : "\n", stderr);
    return allow_weak ? CTL_YES : CTL_NO;
}

static int check_demand(struct redis_link *link, const struct demand *d, bool allow_weak)
{
    _cleanup_(redis_call_deinit) struct redis_call call = {0};
    const char *value;

    if (!ask(link, (const char *const[]){"CONFIG", "GET", d->name}, 3, &call))
        return CTL_UNKNOWN;
    if (redis_count(call.reply) != 2) {
        fprintf(stderr, "redis.url: Redis does not tell its setting %s\n", d->name);
        return CTL_UNKNOWN;
    }
    value = redis_str(redis_item(call.reply, 1));
    if (strcmp(value, d->value) == 0)
        return CTL_YES;
    fprintf(stderr, "redis.url: Redis has %s %s, expected %s: %s", d->name, value, d->value,
            d->why);
    return tell_weak(allow_weak);
}

/* Too few replicas would leave everything unanswered. With sentinels each of them may take the
 * primary's place, so all have to have what counts. */
static int check_replicas(struct redis_link *link, const struct settings *s)
{
    _cleanup_(redis_call_deinit) struct redis_call call = {0};
    size_t replicas;

    if (!ask(link, (const char *const[]){"ROLE"}, 1, &call))
        return CTL_UNKNOWN;
    replicas = redis_count(redis_item(call.reply, 2));
    if ((int64_t)replicas < s->redis_wait_replicas) {
        fprintf(stderr,
                "redis.wait_replicas: %lld, but Redis has %zu: no request would be answered\n",
                (long long)s->redis_wait_replicas, replicas);
        return CTL_NO;
    }
    if (!*s->redis_sentinels || s->redis_wait_replicas == (int64_t)replicas)
        return CTL_YES;
    fprintf(stderr,
            "redis.wait_replicas: %lld, expected %zu, of all replicas: one that lacks what was "
            "acknowledged last may become the primary",
            (long long)s->redis_wait_replicas, replicas);
    return tell_weak(s->redis_allow_weak);
}

static int check_redis(const struct settings *s)
{
    _cleanup_(redis_link_destroyp) struct redis_link *link = NULL;
    struct redis_config config = settings_redis(s);
    int worst = CTL_YES;

    config.wait_replicas = 0; /* nothing is written */
    if (redis_link_create(&config, "activestack-ctl", &link) != ERR_OK)
        return CTL_UNKNOWN;
    for (size_t i = 0; i < ARRAY_SIZE(demands) && worst != CTL_UNKNOWN; i++) {
        int found = check_demand(link, &demands[i], s->redis_allow_weak);

        worst = found > worst ? found : worst;
    }
    if (worst != CTL_UNKNOWN) {
        int found = check_replicas(link, s);

        worst = found > worst ? found : worst;
    }
    return worst;
}

/* Of Redis as far as it is known without asking it. */
static int check_redis_settings(const struct settings *s)
{
    _cleanup_(text_deinit) struct text problems = {0};
    const struct redis_config config = settings_redis(s);

    if (redis_config_check(&config, &problems) == ERR_OK)
        return CTL_YES;
    fputs(text_str(&problems), stderr);
    return CTL_NO;
}

/* Of the broker as far as it is known without asking it: the address, and files for TLS. */
static int check_broker(const struct settings *s)
{
    _cleanup_(asker_destroyp) struct asker *asker = NULL;
    const struct asker_config config = {
        .url = s->amqp_url,
        .tls = settings_amqp_tls(s),
        .name = "activestack-ctl",
        .kind = "ctl",
    };

    switch (asker_create(&config, &asker)) {
    case ERR_OK:
        return CTL_YES;
    case ERR_IO: /* the log says why */
        fputs("amqp.url: the files for TLS cannot be used\n", stderr);
        return CTL_NO;
    default:
        fputs("amqp.url: not of the form amqp://user:password@host:port/vhost\n", stderr);
        return CTL_NO;
    }
}

/* The files: settings of all programs, and the model that they name. */
static int check_files(const char *config, struct settings *settings)
{
    _cleanup_(text_deinit) struct text problems = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;

    if (config_load(&settings_table, PROGRAM_ALL, config, environ, settings, &problems) != ERR_OK ||
        model_load(settings->model_file, &model, &problems) != ERR_OK) {
        fputs(text_str(&problems), stderr);
        return CTL_NO;
    }
    if (check_redis_settings(settings) != CTL_YES)
        return CTL_NO;
    return check_broker(settings);
}

static int check(const char *config, bool live)
{
    struct settings settings = {0};
    int exit_code = check_files(config, &settings);

    if (exit_code == CTL_YES && live)
        exit_code = check_redis(&settings);
    config_free(&settings_table, &settings);
    if (exit_code == CTL_YES)
        puts("ok");
    return exit_code;
}

int ctl_check_config(const char *config, int argc, char **argv)
{
    bool live = false;
    const struct ctl_option options[] = {{"live", NULL, &live}, {NULL, NULL, NULL}};
    char **words = options_read(argc, argv, options, 0, 1);

    if (!words)
        return CTL_UNKNOWN;
    return check(words[0] ? words[0] : config, live);
}
