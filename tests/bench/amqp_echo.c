#include <stdlib.h>
#include <string.h>

#include "common/amqp/amqp_link.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/format.h"
#include "tests/bench/measure.h"

/*
 * amqp_echo QUEUE BODY
 *
 * Stands where an agent would and knows one answer: replies to every request with BODY, and
 * acknowledges the request when the broker has confirmed the reply. Says "ready". AMQP_URL names
 * the broker.
 *
 * Each request gets one reply, in order, and both are counted from 1: so delivery tag and publish
 * number are the same.
 */

#define PREFETCH 512 /* as two workers of an agent; a power of two */

struct echo {
    struct amqp_link *link;
    const char *body;
    size_t size;
    struct msg *replies[PREFETCH]; /* by tag: what the link had no room for yet */
    bool confirmed[PREFETCH];      /* by tag */
    uint64_t delivered, published, acknowledged;
};

static void on_up(void *arg)
{
    (void)arg;
    measure_tell("ready");
}

static void on_down(void *arg)
{
    (void)arg;
    measure_die("the broker is lost", "");
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct echo *echo = arg;
    struct msg reply = {.queue = m->reply_to,
                        .type = "reply",
                        .message_id = m->message_id,
                        .correlation_id = m->correlation_id,
                        .app_id = "bench",
                        .timestamp_ms = clock_wall_ms(),
                        .client = m->client,
                        .format = FORMAT_WRITTEN,
                        .body = echo->body,
                        .size = echo->size};

    (void)redelivered;
    if (msg_create(&reply, &echo->replies[tag % PREFETCH]))
        measure_die("no memory", "");
    echo->confirmed[tag % PREFETCH] = false;
    echo->delivered = tag;
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    struct echo *echo = arg;

    (void)outcome; /* a requester that is gone: its reply may go, too */
    echo->confirmed[number % PREFETCH] = true;
}

static void publish(struct echo *echo)
{
    while (echo->published < echo->delivered) {
        struct msg **reply = &echo->replies[(echo->published + 1) % PREFETCH];
        uint64_t number;

        if (amqp_link_publish(echo->link, *reply, &number))
            return; /* the next turn has room */
        if (number != ++echo->published)
            measure_die("replies and requests are out of step", "");
        msg_destroy(*reply);
    }
}

static void acknowledge(struct echo *echo)
{
    uint64_t tag = echo->acknowledged;

    while (tag < echo->published && echo->confirmed[(tag + 1) % PREFETCH])
        tag++;
    if (tag == echo->acknowledged)
        return;
    amqp_link_ack(echo->link, tag, true);
    echo->acknowledged = tag;
}

int main(int argc, char **argv)
{
    static struct echo echo;
    struct amqp_queue queue = {.consume = true};
    struct amqp_link_config config = {.url = getenv("AMQP_URL"),
                                      .connection_name = "bench-responder",
                                      .consumer_tag = "bench-responder",
                                      .prefetch = PREFETCH,
                                      .queues = &queue,
                                      .queue_count = 1,
                                      .events = {on_up, on_down, on_delivery, on_outcome, NULL},
                                      .arg = &echo};

    if (argc != 3)
        measure_die("usage", "amqp_echo QUEUE BODY");
    log_init("bench", LOG_LEVEL_WARN, false);
    queue.name = argv[1];
    echo.body = argv[2];
    echo.size = strlen(argv[2]);
    if (!config.url || amqp_link_create(&config, &echo.link))
        measure_die("AMQP_URL", "no URL of a broker");
    for (;;) { /* until it is killed */
        (void)amqp_link_turn(echo.link, -1, 100);
        publish(&echo);
        acknowledge(&echo);
    }
}
