#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/amqp/amqp_link.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/format.h"
#include "tests/bench/load.h"

/*
 * amqp_load QUEUE DEPTH SECONDS EXPECTED REQUEST CLIENT...
 *
 * The same load as ws_load without a gateway: asks whoever consumes QUEUE with what a gateway would
 * send (mandatory, confirmed, with the same properties and headers), and reads the answers from a
 * queue of its own. CLIENTs are the client ids that the requests carry, in turn. AMQP_URL names the
 * broker.
 */

#define EXPIRATION_MS 30000
#define QUEUE_ENDS_MS 60000

struct run {
    struct load load;
    struct amqp_link *link;
    const char *queue;
    char **clients;
    unsigned client_count;
    char reply_to[SECRET_ID_CHARS + 16];
    struct text id, request;
    unsigned *unsent; /* slots whose turn it is, but for which the link had no room yet */
    unsigned unsent_count;
};

/* Publishes the slot's next request; false: not now. */
static bool ask(struct run *run, unsigned slot)
{
    struct msg m = {.queue = run->queue,
                    .type = run->queue,
                    .reply_to = run->reply_to,
                    .app_id = "bench",
                    .timestamp_ms = clock_wall_ms(),
                    .expiration_ms = EXPIRATION_MS,
                    .mandatory = true,
                    .client = run->clients[slot % run->client_count],
                    .dialect = "activestack",
                    .accepted_ms = clock_wall_ms(),
                    .format = FORMAT_WRITTEN};
    enum err e;

    load_ask(&run->load, slot, &run->id, &run->request);
    m.message_id = m.correlation_id = run->id.at;
    m.body = run->request.at;
    m.size = run->request.size;
    e = amqp_link_publish(run->link, &m, NULL);
    if (e && e != ERR_FULL)
        measure_die("cannot publish", err_text(e));
    return !e;
}

static void ask_or_wait(struct run *run, unsigned slot)
{
    if (run->unsent_count || !ask(run, slot))
        run->unsent[run->unsent_count++] = slot;
}

static void ask_waiting(struct run *run)
{
    while (run->unsent_count && ask(run, run->unsent[run->unsent_count - 1]))
        run->unsent_count--;
}

static void on_up(void *arg)
{
    struct run *run = arg;

    for (unsigned slot = 0; slot < run->load.depth; slot++)
        ask_or_wait(run, slot);
}

static void on_down(void *arg)
{
    (void)arg;
    measure_die("the broker is lost", "");
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct run *run = arg;

    (void)tag;
    (void)redelivered;
    if (!m->correlation_id)
        measure_die("not an answer", m->body);
    ask_or_wait(run, load_answer(&run->load, m->correlation_id, m->body, m->size));
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    (void)arg;
    (void)number;
    if (outcome != AMQP_CONFIRMED)
        measure_die("the broker did not take a request", "");
}

static void open_link(struct run *run)
{
    struct amqp_queue own = {.name = run->reply_to,
                             .transient_expiring = true,
                             .expires_ms = QUEUE_ENDS_MS,
                             .consume = true,
                             .no_ack = true};
    struct amqp_link_config config = {.url = getenv("AMQP_URL"),
                                      .connection_name = "bench-requester",
                                      .consumer_tag = "bench-requester",
                                      .queues = &own,
                                      .queue_count = 1,
                                      .events = {on_up, on_down, on_delivery, on_outcome, NULL},
                                      .arg = run};

    (void)snprintf(run->reply_to, sizeof(run->reply_to), "gateway.%s", run->load.run);
    if (!config.url || amqp_link_create(&config, &run->link))
        measure_die("AMQP_URL", "no URL of a broker");
}

int main(int argc, char **argv)
{
    static struct run run;

    if (argc < 3 + LOAD_ARGC)
        measure_die("usage", "amqp_load QUEUE " LOAD_ARGUMENTS " CLIENT...");
    log_init("bench", LOG_LEVEL_WARN, false);
    load_init(&run.load, argv + 2, 1);
    run.queue = argv[1];
    run.clients = argv + 2 + LOAD_ARGC;
    run.client_count = (unsigned)(argc - 2 - LOAD_ARGC);
    run.unsent = calloc(run.load.depth, sizeof(*run.unsent));
    if (!run.unsent)
        measure_die("cannot start", "");
    open_link(&run);
    while (!measure_is_over(&run.load.measure)) {
        (void)amqp_link_turn(run.link, -1, 100);
        ask_waiting(&run);
    }
    measure_print(&run.load.measure);
    amqp_link_destroy(run.link);
    text_deinit(&run.id);
    text_deinit(&run.request);
    free(run.unsent);
    load_deinit(&run.load);
    return EXIT_SUCCESS;
}
