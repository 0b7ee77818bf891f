#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <amqp_tcp_socket.h>

#include "common/amqp/amqp_private.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define CONNECT_TIMEOUT_MS 5000    /* for all of it, name lookup aside */
#define DEAD_PEER_MS       20000   /* unacknowledged bytes for so long: the connection is dead */
#define SEND_BUFFER        2097152 /* the kernel takes what it is allowed to */
#define FRAME_MAX          131072

/* RabbitMQ's name of queues that are neither durable nor exclusive, in the words with which it
 * closes the connection on which one is declared: from 4.3 on, unless it is told otherwise. */
#define TRANSIENT_FEATURE "transient_nonexcl_queues"

static struct timeval left_until(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_mono_ms();

    if (left < 1)
        left = 1;
    return (struct timeval){.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
}

static void log_failure(const struct amqp_link *link, const char *step, const char *reason)
{
    log_warn("amqp.connect_failed", LOG_STR("connection", link->config.connection_name),
             LOG_STR("host", link->where.host), LOG_I64("port", link->where.port),
             LOG_STR("step", step), LOG_STR("reason", reason));
}

/* The broker's own, on why it closed the channel or the connection. */
static amqp_bytes_t words_of(amqp_rpc_reply_t reply)
{
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
        return amqp_bytes_of("closed");
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
        return ((const amqp_channel_close_t *)reply.reply.decoded)->reply_text;
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD)
        return ((const amqp_connection_close_t *)reply.reply.decoded)->reply_text;
    return amqp_bytes_of("closed");
}

/* Whether the broker did as asked; otherwise its own words go to the log. */
static bool accepted(const struct amqp_link *link, const char *step, amqp_rpc_reply_t reply)
{
    char reason[256];
    amqp_bytes_t words = words_of(reply);

    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return true;
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
        log_failure(link, step, amqp_reason(link, reply.library_error));
        return false;
    }
    (void)snprintf(reason, sizeof(reason), "%.*s", (int)words.len, (const char *)words.bytes);
    log_failure(link, step, reason);
    return false;
}

/* What the last call of the library led to. */
static bool done(const struct amqp_link *link, const char *step)
{
    return accepted(link, step, amqp_get_rpc_reply(link->connection));
}

/* A quarter of the send buffer: it also pays for the kernel's own overhead on each packet. */
static void tune_socket(struct amqp_link *link)
{
    int fd = amqp_get_sockfd(link->connection);
    int size = SEND_BUFFER;
    unsigned dead_ms = DEAD_PEER_MS;
    socklen_t length = sizeof(size);

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof(dead_ms));
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length))
        size = 0;
    link->budget = (size_t)size / 4;
}

static bool open_socket(struct amqp_link *link, int64_t deadline_ms)
{
    amqp_socket_t *socket =
        link->where.ssl ? amqp_tls_socket(link) : amqp_tcp_socket_new(link->connection);
    struct timeval left = left_until(deadline_ms);
    int status;

    if (!socket)
        return false;
    status = amqp_socket_open_noblock(socket, link->where.host, link->where.port, &left);
    if (status == AMQP_STATUS_OK) {
        tune_socket(link);
        return true;
    }
    log_failure(link, "connect", amqp_reason(link, status));
    return false;
}

static amqp_table_entry_t capability(const char *name)
{
    amqp_table_entry_t entry = {.key = amqp_bytes_of(name)};

    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

/* Without consumer_cancel_notify a deleted queue would leave us waiting for ever, in silence. */
static bool log_in(struct amqp_link *link, int64_t deadline_ms)
{
    amqp_table_entry_t capabilities[] = {
        capability("consumer_cancel_notify"),
        capability("connection.blocked"),
        capability("basic.nack"),
        capability("publisher_confirms"),
    };
    amqp_table_entry_t entries[2] = {{.key = amqp_bytes_of("connection_name")},
                                     {.key = amqp_bytes_of("capabilities")}};
    amqp_table_t properties = {.num_entries = ARRAY_SIZE(entries), .entries = entries};
    struct timeval left = left_until(deadline_ms);

    entries[0].value.kind = AMQP_FIELD_KIND_UTF8;
    entries[0].value.value.bytes = amqp_bytes_of(link->config.connection_name);
    entries[1].value.kind = AMQP_FIELD_KIND_TABLE;
    entries[1].value.value.table =
        (amqp_table_t){.num_entries = ARRAY_SIZE(capabilities), .entries = capabilities};

    (void)amqp_set_handshake_timeout(link->connection, &left);
    return accepted(link, "log in",
                    amqp_login_with_properties(link->connection, link->where.vhost, 0, FRAME_MAX,
                                               link->config.heartbeat_s, &properties,
                                               AMQP_SASL_METHOD_PLAIN, link->where.user,
                                               link->where.password));
}

static void limit_next_call(struct amqp_link *link, int64_t deadline_ms)
{
    struct timeval left = left_until(deadline_ms);

    (void)amqp_set_rpc_timeout(link->connection, &left);
}

static bool open_channels(struct amqp_link *link, int64_t deadline_ms)
{
    limit_next_call(link, deadline_ms);
    amqp_channel_open(link->connection, AMQP_CHANNEL_CONSUME);
    if (!done(link, "open channel"))
        return false;
    amqp_channel_open(link->connection, AMQP_CHANNEL_PUBLISH);
    if (!done(link, "open channel"))
        return false;
    amqp_confirm_select(link->connection, AMQP_CHANNEL_PUBLISH);
    if (!done(link, "select confirms"))
        return false;
    return true;
}

static bool declare_exchange(struct amqp_link *link, const char *name)
{
    amqp_exchange_declare(link->connection, AMQP_CHANNEL_CONSUME, amqp_bytes_of(name),
                          amqp_bytes_of("topic"), 0, 1, 0, 0, amqp_empty_table);
    return done(link, name);
}

/* The type is said where it matters, since the vhost has a default one; NULL: that. */
static const char *type_of(const struct amqp_queue *queue)
{
    if (queue->transient_expiring)
        return "classic";
    return queue->quorum ? "quorum" : NULL;
}

static amqp_table_t arguments_of(const struct amqp_queue *queue, amqp_table_entry_t entries[2])
{
    const char *type = type_of(queue);
    int count = 0;

    if (queue->transient_expiring) {
        entries[count] = (amqp_table_entry_t){.key = amqp_bytes_of("x-expires")};
        entries[count].value.kind = AMQP_FIELD_KIND_I64;
        entries[count++].value.value.i64 = queue->expires_ms;
    }
    if (type) {
        entries[count] = (amqp_table_entry_t){.key = amqp_bytes_of("x-queue-type")};
        entries[count].value.kind = AMQP_FIELD_KIND_UTF8;
        entries[count++].value.value.bytes = amqp_bytes_of(type);
    }
    return (amqp_table_t){.num_entries = count, .entries = entries};
}

/* Learns from the broker's refusal that it permits no transient queues. */
static bool learns_durable(struct amqp_link *link, amqp_rpc_reply_t reply)
{
    amqp_bytes_t words = words_of(reply);

    if (link->only_durable ||
        !memmem(words.bytes, words.len, TRANSIENT_FEATURE, strlen(TRANSIENT_FEATURE)))
        return false;
    link->only_durable = true;
    log_info("amqp.only_durable", LOG_STR("connection", link->config.connection_name),
             LOG_STR("host", link->where.host), LOG_I64("port", link->where.port),
             LOG_STR("reason", "the broker refuses " TRANSIENT_FEATURE));
    return true;
}

static bool declare(struct amqp_link *link, const struct amqp_queue *queue)
{
    amqp_table_entry_t entries[2];
    amqp_table_t arguments = arguments_of(queue, entries);
    bool durable = !queue->transient_expiring || link->only_durable;
    amqp_rpc_reply_t reply;

    amqp_queue_declare(link->connection, AMQP_CHANNEL_CONSUME, amqp_bytes_of(queue->name), 0,
                       durable, 0, 0, arguments);
    reply = amqp_get_rpc_reply(link->connection);
    return !learns_durable(link, reply) && accepted(link, queue->name, reply);
}

static uint16_t prefetch_of(const struct amqp_link *link, size_t i)
{
    return link->queues[i].prefetch ? link->queues[i].prefetch : link->config.prefetch;
}

/* Of the consumers that follow on the channel, so it is said only where it changes. */
static bool set_prefetch(struct amqp_link *link, size_t i)
{
    uint16_t prefetch = prefetch_of(link, i);

    if (i && prefetch == prefetch_of(link, i - 1))
        return true;
    amqp_basic_qos(link->connection, AMQP_CHANNEL_CONSUME, 0, prefetch, 0);
    return done(link, "set prefetch");
}

static bool consume(struct amqp_link *link, const struct amqp_queue *queue)
{
    _cleanup_(text_deinitp) struct text tag = {0};

    amqp_add_tag(link, queue->name, &tag);
    amqp_basic_consume(link->connection, AMQP_CHANNEL_CONSUME, amqp_bytes_of(queue->name),
                       amqp_bytes_of(text_str(&tag)), 0, queue->no_ack, 0, amqp_empty_table);
    return done(link, queue->name);
}

static bool declare_all(struct amqp_link *link, int64_t deadline_ms)
{
    for (size_t i = 0; link->exchanges[i]; i++) {
        limit_next_call(link, deadline_ms);
        if (!declare_exchange(link, link->exchanges[i]))
            return false;
    }
    for (size_t i = 0; i < link->config.queue_count; i++) {
        limit_next_call(link, deadline_ms);
        if (!declare(link, &link->queues[i]))
            return false;
    }
    return true;
}

static bool consume_all(struct amqp_link *link, int64_t deadline_ms)
{
    for (size_t i = 0; i < link->config.queue_count; i++) {
        limit_next_call(link, deadline_ms);
        if (!set_prefetch(link, i) || (link->queues[i].consume && !consume(link, &link->queues[i])))
            return false;
    }
    return true;
}

/* On failure nothing of the connection is left. */
static bool connect_once(struct amqp_link *link, int64_t deadline_ms)
{
    link->connection = amqp_new_connection();
    if (!link->connection)
        return false;
    if (open_socket(link, deadline_ms) && log_in(link, deadline_ms) &&
        open_channels(link, deadline_ms) &&
        /* All queues first: from the first consumer on, messages arrive between the answers. */
        declare_all(link, deadline_ms) && consume_all(link, deadline_ms))
        return true;
    (void)amqp_destroy_connection(link->connection);
    link->connection = NULL;
    link->tls = NULL;
    return false;
}

bool amqp_connect(struct amqp_link *link)
{
    int64_t deadline_ms = clock_mono_ms() + CONNECT_TIMEOUT_MS;
    bool knew = link->only_durable;

    return connect_once(link, deadline_ms) ||
           (link->only_durable && !knew && connect_once(link, deadline_ms));
}

void amqp_add_tag(const struct amqp_link *link, const char *queue, struct text *out)
{
    text_add(out, link->config.consumer_tag);
    text_add_char(out, '.');
    text_add(out, queue);
}

amqp_bytes_t amqp_tag_queue(const struct amqp_link *link, amqp_bytes_t tag)
{
    size_t prefix = strlen(link->config.consumer_tag) + 1;

    if (tag.len < prefix)
        return amqp_empty_bytes;
    return (amqp_bytes_t){.len = tag.len - prefix, .bytes = (char *)tag.bytes + prefix};
}
