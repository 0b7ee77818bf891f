#include "tests/support/amqp_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <check.h>

#include "common/base/clock.h"
#include "common/base/secret.h"

#define PATIENCE_MS 60000

static void on_up(void *arg)
{
    struct amqp_probe *probe = arg;

    probe->ups++;
    memset(probe->outcomes, 0, sizeof(probe->outcomes)); /* numbers start again */
}

static void on_down(void *arg)
{
    struct amqp_probe *probe = arg;

    probe->downs++;
}

static void on_blocked(void *arg, bool blocked)
{
    struct amqp_probe *probe = arg;

    *(blocked ? &probe->blocks : &probe->unblocks) += 1;
}

static void make_room(struct amqp_probe *probe)
{
    if (probe->count < probe->room)
        return;
    probe->room = probe->room ? probe->room * 2 : 16;
    probe->messages = reallocarray(probe->messages, probe->room, sizeof(*probe->messages));
    probe->tags = reallocarray(probe->tags, probe->room, sizeof(*probe->tags));
    probe->redelivered = reallocarray(probe->redelivered, probe->room, sizeof(bool));
    ck_assert(probe->messages && probe->tags && probe->redelivered);
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct amqp_probe *probe = arg;

    make_room(probe);
    ck_assert_int_eq(msg_create(m, &probe->messages[probe->count]), ERR_OK);
    probe->tags[probe->count] = tag;
    probe->redelivered[probe->count++] = redelivered;
    if (probe->acknowledges)
        amqp_link_ack(probe->link, tag, false);
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    struct amqp_probe *probe = arg;

    ck_assert_uint_gt(number, 0);
    ck_assert_uint_lt(number, sizeof(probe->outcomes));
    ck_assert_msg(!probe->outcomes[number]++, "number %llu was told twice",
                  (unsigned long long)number);
    probe->told++;
    probe->confirmed += outcome == AMQP_CONFIRMED;
    probe->returned += outcome == AMQP_RETURNED;
    probe->refused += outcome == AMQP_REFUSED;
}

static void on_counted(void *arg, const char *queue, int64_t consumers)
{
    struct amqp_probe *probe = arg;

    text_addf(&probe->counted, "%s %lld\n", queue, (long long)consumers);
}

const char *amqp_probe_name(void)
{
    static char names[8][SECRET_ID_CHARS + 8];
    static unsigned next;
    char id[SECRET_ID_CHARS + 1];
    char *name = names[next++ % ARRAY_SIZE(names)];

    secret_random_id(id);
    (void)snprintf(name, sizeof(names[0]), "test-%s", id);
    return name;
}

void amqp_probe_start(struct amqp_probe *probe, struct amqp_link_config config)
{
    memset(probe, 0, sizeof(*probe));
    if (!config.url && getenv("AMQP_TLS_URL")) {
        config.url = getenv("AMQP_TLS_URL");
        config.tls.ca_file = getenv("AMQP_CA_FILE");
    } else if (!config.url) {
        config.url = getenv("AMQP_URL");
    }
    config.connection_name = "test";
    config.consumer_tag = "test";
    config.events =
        (struct amqp_events){on_up, on_down, on_delivery, on_outcome, on_blocked, on_counted};
    config.arg = probe;
    ck_assert_int_eq(amqp_link_create(&config, &probe->link), ERR_OK);
}

void amqp_probe_open(struct amqp_probe *probe, const char *url, const char *queue)
{
    struct amqp_queue queues[] = {
        {.name = queue, .transient_expiring = true, .expires_ms = 60000, .consume = true}};

    amqp_probe_start(probe, (struct amqp_link_config){.url = url,
                                                      .heartbeat_s = 10,
                                                      .prefetch = 1000,
                                                      .queues = queues,
                                                      .queue_count = queue ? 1 : 0});
    amqp_probe_until(probe, probe->ups == 1);
}

void amqp_probe_close(struct amqp_probe *probe)
{
    amqp_link_destroy(probe->link);
    for (size_t i = 0; i < probe->count; i++)
        msg_destroy(probe->messages[i]);
    free(probe->messages);
    free(probe->tags);
    free(probe->redelivered);
    text_deinit(&probe->counted);
    memset(probe, 0, sizeof(*probe));
}

uint64_t amqp_probe_publish(struct amqp_probe *probe, const struct msg *m)
{
    uint64_t number = 0;
    enum err e;

    amqp_probe_until(probe, (e = amqp_link_publish(probe->link, m, &number)) != ERR_FULL);
    ck_assert_int_eq(e, ERR_OK);
    return number;
}

void amqp_probe_say_too_much(const char *queue)
{
    const char *given = getenv("AMQP_URL");
    char *url = strdup(given ? given : ""), *body = calloc(1, AMQP_BODY_LIMIT + 2);
    amqp_connection_state_t connection = amqp_new_connection();
    struct amqp_connection_info where;
    amqp_rpc_reply_t reply;

    ck_assert_ptr_nonnull(body);
    memset(body, 'x', AMQP_BODY_LIMIT + 1);
    ck_assert_int_eq(amqp_parse_url(url, &where), AMQP_STATUS_OK);
    ck_assert_int_eq(amqp_socket_open(amqp_tcp_socket_new(connection), where.host, where.port), 0);
    reply = amqp_login(connection, where.vhost, 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, where.user,
                       where.password);
    ck_assert_int_eq(reply.reply_type, AMQP_RESPONSE_NORMAL);
    ck_assert_ptr_nonnull(amqp_channel_open(connection, 1));
    ck_assert_int_eq(amqp_basic_publish(connection, 1, amqp_empty_bytes, amqp_cstring_bytes(queue),
                                        0, 0, NULL, amqp_cstring_bytes(body)),
                     AMQP_STATUS_OK);
    reply = amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    ck_assert_int_eq(reply.reply_type, AMQP_RESPONSE_NORMAL);
    ck_assert_int_eq(amqp_destroy_connection(connection), AMQP_STATUS_OK);
    free(body);
    free(url);
}

uint64_t amqp_probe_say(struct amqp_probe *probe, const char *queue, const char *body)
{
    struct msg m = {.queue = queue, .mandatory = true, .body = body, .size = strlen(body)};

    return amqp_probe_publish(probe, &m);
}

int64_t amqp_probe_deadline(void)
{
    return clock_mono_ms() + PATIENCE_MS;
}

void amqp_probe_turn(struct amqp_probe *probe, int64_t until_ms, const char *condition)
{
    if (clock_mono_ms() > until_ms)
        ck_abort_msg("in vain: %s", condition);
    (void)amqp_link_turn(probe->link, -1, 100);
}
