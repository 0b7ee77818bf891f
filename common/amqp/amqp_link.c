#include "common/amqp/amqp_link.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/amqp/amqp_private.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define CLOSE_TIMEOUT_MS   1000 /* for the goodbye of an orderly end */
#define FULL_SLEEP_MAX_MS  16   /* between two looks at a full send buffer; 1 ms at first */
#define TURNS_PER_INTERVAL 4    /* at least so many looks at the heartbeat's clock */

/* ---- Creation ---- */

static const char *or_none(const char *file)
{
    return file ? file : "";
}

/* Room for everything first, so that no text moves when the next is kept. */
static void reserve_texts(struct amqp_link *link, const struct amqp_link_config *config)
{
    const struct amqp_tls *tls = &config->tls;
    size_t size = strlen(config->url) + strlen(config->connection_name) + 6;

    size += strlen(or_none(tls->ca_file)) + strlen(or_none(tls->certificate)) +
            strlen(or_none(tls->key));

    if (config->consumer_tag)
        size += strlen(config->consumer_tag);
    for (size_t i = 0; i < config->queue_count; i++)
        size += strlen(config->queues[i].name) + 1;
    for (size_t i = 0; config->exchanges && config->exchanges[i]; i++)
        size += strlen(config->exchanges[i]) + 1;
    text_reserve(&link->kept, size);
}

static char *keep(struct amqp_link *link, const char *str)
{
    size_t at = link->kept.size;

    text_add_bytes(&link->kept, str, strlen(str) + 1);
    return link->kept.at + at;
}

static enum err keep_exchanges(struct amqp_link *link, const char *const *exchanges)
{
    size_t count = 0;

    while (exchanges && exchanges[count])
        count++;
    link->config.exchanges = link->exchanges = calloc(count + 1, sizeof(*link->exchanges));
    if (!link->exchanges)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        link->exchanges[i] = keep(link, exchanges[i]);
    return ERR_OK;
}

static void keep_tls(struct amqp_link *link, const struct amqp_tls *tls)
{
    link->config.tls =
        (struct amqp_tls){keep(link, or_none(tls->ca_file)), keep(link, or_none(tls->certificate)),
                          keep(link, or_none(tls->key))};
}

static enum err keep_config(struct amqp_link *link, const struct amqp_link_config *config)
{
    reserve_texts(link, config);
    link->config = *config;
    link->config.connection_name = keep(link, config->connection_name);
    link->config.consumer_tag = keep(link, config->consumer_tag ? config->consumer_tag : "");
    link->config.queues = link->queues = calloc(config->queue_count + 1, sizeof(*link->queues));
    if (!link->queues)
        return ERR_NOMEM;
    for (size_t i = 0; i < config->queue_count; i++) {
        link->queues[i] = config->queues[i];
        link->queues[i].name = keep(link, config->queues[i].name);
    }
    keep_tls(link, &config->tls);
    return keep_exchanges(link, config->exchanges);
}

static enum err keep_url(struct amqp_link *link, const char *url)
{
    static char root[] = "/";

    if (amqp_parse_url(keep(link, url), &link->where) != AMQP_STATUS_OK)
        return ERR_CONFIG;
    if (!link->where.vhost[0])
        link->where.vhost = root;
    return amqp_tls_check(link) ? ERR_OK : ERR_IO;
}

enum err amqp_link_create(const struct amqp_link_config *config, struct amqp_link **out)
{
    struct amqp_link *link = calloc(1, sizeof(*link));
    enum err e;

    if (!link)
        return ERR_NOMEM;
    if ((e = keep_config(link, config)) || (e = keep_url(link, config->url))) {
        amqp_link_destroy(link);
        return e;
    }
    *out = link;
    return ERR_OK;
}

/* ---- The end ---- */

/* What was published and acknowledged before is in the same stream, and is read before this. */
static void say_goodbye(struct amqp_link *link)
{
    struct timeval limit = {.tv_sec = CLOSE_TIMEOUT_MS / 1000};

    amqp_write_gathered(link);
    (void)amqp_set_rpc_timeout(link->connection, &limit);
    (void)amqp_connection_close(link->connection, AMQP_REPLY_SUCCESS);
}

static void forget_connection(struct amqp_link *link)
{
    if (link->connection)
        (void)amqp_destroy_connection(link->connection);
    link->connection = NULL;
    link->tls = NULL;
    link->broken = link->blocked = link->full = link->count_open = false;
    link->full_sleep_ms = 0;
    link->rest_at = 0;
    text_clear(&link->gathered);
    text_deinit(&link->rest);
    text_clear(&link->questions);
    for (size_t i = 0; i < AMQP_CHANNELS; i++) {
        text_deinit(&link->contents[i].body);
        memset(&link->contents[i], 0, sizeof(link->contents[i]));
    }
}

void amqp_link_destroy(struct amqp_link *link)
{
    if (!link)
        return;
    if (amqp_link_is_up(link))
        say_goodbye(link);
    forget_connection(link);
    free(link->queues);
    free(link->exchanges);
    text_wipe(&link->kept); /* the URL has a password */
    text_deinit(&link->texts);
    text_deinit(&link->questions);
    text_deinit(&link->gathered);
    free(link);
}

/* ---- Up and down ---- */

bool amqp_link_is_up(const struct amqp_link *link)
{
    return link->connection && !link->broken;
}

void amqp_break(struct amqp_link *link, const char *reason)
{
    if (link->broken)
        return;
    link->broken = true;
    log_warn("amqp.down", LOG_STR("connection", link->config.connection_name),
             LOG_STR("reason", reason));
}

static void go_down(struct amqp_link *link)
{
    forget_connection(link);
    backoff_failed(&link->backoff);
    if (link->config.events.down)
        link->config.events.down(link->config.arg);
}

static bool come_up(struct amqp_link *link)
{
    if (backoff_left_ms(&link->backoff) > 0)
        return false;
    if (!amqp_connect(link)) {
        backoff_failed(&link->backoff);
        return false;
    }
    backoff_succeeded(&link->backoff);
    link->oldest = link->next = 1;
    log_info("amqp.up", LOG_STR("connection", link->config.connection_name),
             LOG_STR("host", link->where.host), LOG_I64("port", link->where.port));
    if (link->config.events.up)
        link->config.events.up(link->config.arg);
    return true;
}

/* ---- A turn ---- */

static bool work(struct amqp_link *link)
{
    bool any;

    amqp_write_gathered(link); /* of our owner, between the turns */
    any = amqp_read(link);
    amqp_write_rest(link);
    amqp_write_gathered(link); /* of the callbacks */
    if (link->broken)
        go_down(link);
    return any;
}

static int at_most(int64_t a, int b)
{
    return a < b ? (int)a : b;
}

/* For how long we may sleep: not over our next attempt to connect, a heartbeat, or the moment at
 * which the send buffer may have room again. */
static int sleep_ms(struct amqp_link *link, int timeout_ms)
{
    if (!link->connection)
        return at_most(backoff_left_ms(&link->backoff), timeout_ms);
    if (link->full || link->rest.size) {
        link->full_sleep_ms = link->full_sleep_ms ? link->full_sleep_ms * 2 : 1;
        link->full_sleep_ms = at_most(link->full_sleep_ms, FULL_SLEEP_MAX_MS);
        timeout_ms = at_most(link->full_sleep_ms, timeout_ms);
    }
    if (amqp_get_heartbeat(link->connection))
        timeout_ms = at_most(
            amqp_get_heartbeat(link->connection) * INT64_C(1000) / TURNS_PER_INTERVAL, timeout_ms);
    return timeout_ms;
}

static void sleep_until_something(struct amqp_link *link, int wake_fd, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = wake_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};

    if (link->connection) {
        /* Our own work since the last look may have made the library read. */
        if (amqp_frames_enqueued(link->connection) || amqp_data_in_buffer(link->connection) ||
            amqp_tls_has_more(link))
            return;
        fds[1].fd = amqp_get_sockfd(link->connection);
    }
    (void)poll(fds, ARRAY_SIZE(fds), sleep_ms(link, timeout_ms));
    link->full = false;
}

bool amqp_link_turn(struct amqp_link *link, int wake_fd, int timeout_ms)
{
    bool any = false;

    if (link->connection || come_up(link))
        any = work(link);
    if (any || timeout_ms <= 0)
        return any;
    sleep_until_something(link, wake_fd, timeout_ms);
    return link->connection && work(link);
}

/* ---- Deliveries ---- */

void amqp_link_ack(struct amqp_link *link, uint64_t tag, bool multiple)
{
    int status;

    if (!amqp_link_is_up(link))
        return;
    status = amqp_basic_ack(link->connection, AMQP_CHANNEL_CONSUME, tag, multiple);
    if (status != AMQP_STATUS_OK)
        amqp_break(link, amqp_error_string2(status));
}

void amqp_link_reject(struct amqp_link *link, uint64_t tag, bool requeue)
{
    int status;

    if (!amqp_link_is_up(link))
        return;
    status = amqp_basic_reject(link->connection, AMQP_CHANNEL_CONSUME, tag, requeue);
    if (status != AMQP_STATUS_OK)
        amqp_break(link, amqp_error_string2(status));
}

/* Without waiting for the broker's answer: what it has sent until then still arrives. */
static int cancel(struct amqp_link *link, const struct amqp_queue *queue)
{
    _cleanup_(text_deinitp) struct text tag = {0};
    amqp_basic_cancel_t m = {.nowait = 1};

    amqp_add_tag(link, queue->name, &tag);
    m.consumer_tag = amqp_bytes_of(text_str(&tag));
    return amqp_send_method(link->connection, AMQP_CHANNEL_CONSUME, AMQP_BASIC_CANCEL_METHOD, &m);
}

static void stop(struct amqp_link *link, struct amqp_queue *queue)
{
    int status = AMQP_STATUS_OK;

    if (queue->consume && amqp_link_is_up(link))
        status = cancel(link, queue);
    queue->consume = false;
    if (status != AMQP_STATUS_OK)
        amqp_break(link, amqp_error_string2(status));
}

void amqp_link_stop_consuming(struct amqp_link *link)
{
    for (size_t i = 0; i < link->config.queue_count; i++)
        stop(link, &link->queues[i]);
}

void amqp_link_stop_queue(struct amqp_link *link, const char *queue)
{
    for (size_t i = 0; i < link->config.queue_count; i++) {
        if (!strcmp(link->queues[i].name, queue))
            stop(link, &link->queues[i]);
    }
}
