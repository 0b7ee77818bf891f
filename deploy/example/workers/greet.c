/*
 * greet - a worker in C (../processes.md has the contract): says hello in the language that is
 * asked for.
 *
 *     {"name": "Ada", "language": "fr"}   ->   "Bonjour, Ada"
 *
 * Run it with AMQP_URL set. Several may run; each takes one call at a time. The reply and the
 * acknowledgement of the call are one transaction of the broker, so that a call is never lost
 * between them: if this program dies, another one gets it.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <json-c/json.h>

#define QUEUE     "process.greet"
#define CHANNEL   1
#define HEARTBEAT 60
#define FRAME_MAX 131072

static const struct {
    const char *language, *hello;
} hellos[] = {{"de", "Hallo"}, {"en", "Hello"}, {"fr", "Bonjour"}, {"tr", "Merhaba"}};

static void end(const char *why)
{
    fprintf(stderr, "greet: %s\n", why);
    exit(1);
}

static void check(amqp_rpc_reply_t reply, const char *step)
{
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        end(step);
}

/* ---- The answer ---- */

static const char *hello_in(const char *language)
{
    for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
        if (!strcmp(hellos[i].language, language))
            return hellos[i].hello;
    }
    return NULL;
}

static const char *string_of(struct json_object *arguments, const char *member, const char *absent)
{
    struct json_object *value;

    if (!json_object_is_type(arguments, json_type_object) ||
        !json_object_object_get_ex(arguments, member, &value))
        return absent;
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* The reply's JSON, to be put; *type is that of the message. */
static struct json_object *answer(struct json_object *arguments, const char **type)
{
    const char *name = string_of(arguments, "name", NULL);
    const char *language = string_of(arguments, "language", "en");
    const char *hello = language ? hello_in(language) : NULL;
    struct json_object *result;
    char *greeting;

    *type = "error";
    if (!name)
        return json_object_new_string("name: expected a string");
    if (!hello)
        return json_object_new_string("language: expected de, en, fr or tr");
    *type = "reply";
    if (asprintf(&greeting, "%s, %s", hello, name) < 0)
        end("no memory");
    result = json_object_new_string(greeting);
    free(greeting);
    return result;
}

/* ---- The broker ---- */

static amqp_connection_state_t open_connection(char *url)
{
    amqp_connection_state_t connection = amqp_new_connection();
    struct amqp_connection_info where;

    amqp_default_connection_info(&where);
    if (amqp_parse_url(url, &where))
        end("AMQP_URL: expected amqp://user:password@host:port/vhost");
    if (amqp_socket_open(amqp_tcp_socket_new(connection), where.host, where.port))
        end("the broker cannot be reached");
    check(amqp_login(connection, where.vhost, 0, FRAME_MAX, HEARTBEAT, AMQP_SASL_METHOD_PLAIN,
                     where.user, where.password),
          "the broker refuses the login");
    return connection;
}

static void consume(amqp_connection_state_t connection)
{
    amqp_channel_open(connection, CHANNEL);
    check(amqp_get_rpc_reply(connection), "no channel");
    amqp_tx_select(connection, CHANNEL);
    check(amqp_get_rpc_reply(connection), "no transactions");
    amqp_basic_qos(connection, CHANNEL, 0, 1, 0);
    check(amqp_get_rpc_reply(connection), "no prefetch");
    amqp_basic_consume(connection, CHANNEL, amqp_cstring_bytes(QUEUE), amqp_empty_bytes, 0, 0, 0,
                       amqp_empty_table);
    check(amqp_get_rpc_reply(connection), QUEUE ": no such queue; is the process declared?");
}

static void reply(amqp_connection_state_t connection, const amqp_envelope_t *call)
{
    const amqp_basic_properties_t *asked = &call->message.properties;
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *arguments =
        json_tokener_parse_ex(tokener, call->message.body.bytes, (int)call->message.body.len);
    const char *type;
    struct json_object *result = answer(arguments, &type);
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
                  AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG,
        .type = amqp_cstring_bytes(type),
        .correlation_id = asked->correlation_id,
        .delivery_mode = AMQP_DELIVERY_PERSISTENT,
        .content_type = amqp_cstring_bytes("application/json"),
    };

    amqp_basic_publish(connection, CHANNEL, amqp_empty_bytes, asked->reply_to, 0, 0, &properties,
                       amqp_cstring_bytes(json_object_to_json_string(result)));
    amqp_basic_ack(connection, CHANNEL, call->delivery_tag, 0);
    amqp_tx_commit(connection, CHANNEL);
    check(amqp_get_rpc_reply(connection), "the reply was refused");
    json_object_put(result);
    json_object_put(arguments);
    json_tokener_free(tokener);
}

int main(void)
{
    char *url = getenv("AMQP_URL");
    amqp_connection_state_t connection;

    if (!url)
        end("AMQP_URL is not set");
    connection = open_connection(url);
    consume(connection);
    for (;;) {
        amqp_envelope_t call;

        check(amqp_consume_message(connection, &call, NULL, 0), "the connection is lost");
        reply(connection, &call);
        amqp_destroy_envelope(&call);
        amqp_maybe_release_buffers(connection);
    }
}
