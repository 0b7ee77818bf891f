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

/* What Redis says of one setting, in *call; false: it cannot be reached. */
static bool ask(struct redis_link *link, const char *name, struct redis_call *call)
{
    redis_call_begin(call, NULL);
    redis_call_arg(call, "CONFIG");
    redis_call_arg(call, "GET");
    redis_call_arg(call, name);
    return redis_link_run(link, &call, 1) == ERR_OK;
}

static int check_demand(struct redis_link *link, const struct demand *d, bool allow_weak)
{
    _cleanup_(redis_call_deinit) struct redis_call call = {0};
    const char *value;

    if (!ask(link, d->name, &call)) {
        fputs("redis.url: Redis cannot be reached, or refuses us\n", stderr);
        return CTL_UNKNOWN;
    }
    if (redis_count(call.reply) != 2) {
        fprintf(stderr, "redis.url: Redis does not tell its setting %s\n", d->name);
        return CTL_UNKNOWN;
    }
    value = redis_str(redis_item(call.reply, 1));
    if (strcmp(value, d->value) == 0)
        return CTL_YES;
    fprintf(stderr, "redis.url: Redis has %s %s, expected %s: %s%s\n", d->name, value, d->value,
            d->why, allow_weak ? " (allowed by redis.allow_weak)" : "");
    return allow_weak ? CTL_YES : CTL_NO;
}

static int check_redis(const struct settings *s)
{
    _cleanup_(redis_link_destroyp) struct redis_link *link = NULL;
    int worst = CTL_YES;

    if (redis_link_create(s->redis_url, "activestack-ctl", s->redis_timeout_ms, &link) != ERR_OK) {
        fputs("redis.url: not of the form redis://:password@host:port/db or unix:///path\n",
              stderr);
        return CTL_NO;
    }
    for (size_t i = 0; i < ARRAY_SIZE(demands) && worst != CTL_UNKNOWN; i++) {
        int found = check_demand(link, &demands[i], s->redis_allow_weak);

        worst = found > worst ? found : worst;
    }
    return worst;
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
