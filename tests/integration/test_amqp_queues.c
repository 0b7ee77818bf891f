#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/amqp/amqp_link.h"
#include "common/base/text.h"
#include "tests/support/amqp_probe.h"
#include "tests/support/management.h"
#include "tests/support/unit.h"

/* What amqp_link declares of queues and exchanges, and what it asks about them. */

static struct amqp_probe probe, other;
static const char *kept; /* a durable queue, deleted behind the test */

static void delete_kept(void)
{
    _cleanup_(text_deinitp) struct text path = {0};

    if (!kept)
        return;
    text_addf(&path, "/queues/{vhost}/%s", kept);
    (void)management_call("DELETE", path.at, NULL);
    kept = NULL;
}

static void close_probes(void)
{
    amqp_probe_close(&probe);
    amqp_probe_close(&other);
    delete_kept();
}

static struct amqp_queue fleeting(const char *name)
{
    return (struct amqp_queue){.name = name, .transient_expiring = true, .expires_ms = 60000};
}

static void open_with(struct amqp_probe *opened, const struct amqp_queue *queues, size_t count)
{
    amqp_probe_start(
        opened, (struct amqp_link_config){.prefetch = 2, .queues = queues, .queue_count = count});
    amqp_probe_until(opened, opened->ups);
}

static bool is_counted(const char *queue, int consumers)
{
    _cleanup_(text_deinitp) struct text line = {0};

    text_addf(&line, "%s %d\n", queue, consumers);
    return probe.counted.size && strstr(probe.counted.at, line.at);
}

static void ask(const char *queue)
{
    text_clear(&probe.counted);
    ck_assert_int_eq(amqp_link_count_consumers(probe.link, queue), ERR_OK);
    amqp_probe_until(&probe, probe.counted.size);
}

/* ---- Declared ---- */

START_TEST(each_consumer_has_the_prefetch_of_its_queue)
{
    const char *names[] = {amqp_probe_name(), amqp_probe_name(), amqp_probe_name()};
    size_t got[3] = {0};
    struct amqp_queue queues[3];

    for (size_t i = 0; i < 3; i++) {
        queues[i] = fleeting(names[i]);
        queues[i].consume = true;
    }
    queues[1].prefetch = 5; /* the others have the link's, 2 */
    open_with(&probe, queues, 3);
    for (size_t i = 0; i < 30; i++)
        amqp_probe_say(&probe, names[i % 3], "{}");
    amqp_probe_until(&probe, probe.confirmed == 30 && probe.count >= 9);
    for (size_t i = 0; i < probe.count; i++)
        for (size_t j = 0; j < 3; j++)
            got[j] += !strcmp(probe.messages[i]->queue, names[j]);
    ck_assert_uint_eq(got[0], 2);
    ck_assert_uint_eq(got[1], 5);
    ck_assert_uint_eq(got[2], 2);
}
END_TEST

/* The broker counts deliveries in vain on quorum queues alone. */
START_TEST(a_quorum_queue_gives_up_a_message_that_is_delivered_in_vain)
{
    struct amqp_queue queues[2] = {{.name = kept = amqp_probe_name(), .quorum = true},
                                   fleeting(amqp_probe_name())};
    _cleanup_(text_deinitp) struct text policy = {0}, path = {0};

    text_addf(&path, "/policies/{vhost}/%s", kept);
    text_addf(&policy,
              "{\"pattern\":\"^%s$\",\"apply-to\":\"queues\",\"priority\":9,\"definition\":"
              "{\"delivery-limit\":2,\"dead-letter-exchange\":\"\",\"dead-letter-routing-key\":"
              "\"%s\"}}",
              kept, queues[1].name);
    ck_assert_int_eq(management_call("PUT", path.at, policy.at), 201);
    queues[0].consume = queues[1].consume = true;
    open_with(&probe, queues, 2);
    amqp_probe_say(&probe, kept, "{\"poison\":1}");
    for (size_t i = 1; i <= 3; i++) {
        amqp_probe_until(&probe, probe.count == i);
        ck_assert_str_eq(probe.messages[i - 1]->queue, kept);
        ck_assert_ptr_null(probe.messages[i - 1]->reason);
        amqp_link_reject(probe.link, probe.tags[i - 1], true);
    }
    amqp_probe_until(&probe, probe.count == 4);
    ck_assert_str_eq(probe.messages[3]->queue, queues[1].name);
    ck_assert_str_eq(probe.messages[3]->reason, "delivery_limit");
    ck_assert_str_eq(probe.messages[3]->body, "{\"poison\":1}");
    ck_assert_int_eq(management_call("DELETE", path.at, NULL), 204);
}
END_TEST

START_TEST(the_message_s_own_reason_goes_before_the_broker_s)
{
    const char *queue = amqp_probe_name(), *dead = amqp_probe_name();
    _cleanup_(text_deinitp) struct text path = {0}, arguments = {0};
    struct msg m = {.queue = queue, .reason = "mine", .expiration_ms = 1, .body = "{}", .size = 2};

    text_addf(&path, "/queues/{vhost}/%s", queue);
    text_addf(
        &arguments,
        "{\"durable\":false,\"arguments\":{\"x-dead-letter-exchange\":\"\",\"x-expires\":60000,"
        "\"x-dead-letter-routing-key\":\"%s\"}}",
        dead);
    ck_assert_int_eq(management_call("PUT", path.at, arguments.at), 201);
    amqp_probe_open(&probe, NULL, dead);
    amqp_probe_publish(&probe, &m);
    m.reason = NULL;
    amqp_probe_publish(&probe, &m);
    amqp_probe_until(&probe, probe.count == 2);
    ck_assert_str_eq(probe.messages[0]->reason, "mine");
    ck_assert_str_eq(probe.messages[1]->reason, "expired");
}
END_TEST

START_TEST(a_queue_that_wants_to_know_is_told_of_an_absurdly_large_delivery)
{
    struct amqp_queue queue = fleeting(amqp_probe_name());

    queue.consume = queue.tells_oversized = true;
    open_with(&probe, &queue, 1);
    amqp_probe_say_too_much(queue.name);
    amqp_probe_say(&probe, queue.name, "next");
    amqp_probe_until(&probe, probe.count == 2);
    ck_assert(probe.messages[0]->oversized);
    ck_assert_uint_eq(probe.messages[0]->size, 0);
    ck_assert_str_eq(probe.messages[0]->body, "");
    ck_assert(!probe.messages[1]->oversized);
    ck_assert_str_eq(probe.messages[1]->body, "next");
    amqp_link_ack(probe.link, probe.tags[1], true); /* it is the receiver's to settle */
    ck_assert_int_eq(probe.downs, 0);
}
END_TEST

/* ---- Exchanges ---- */

static void bind(const char *exchange, const char *queue, const char *key)
{
    _cleanup_(text_deinitp) struct text path = {0}, body = {0};

    text_addf(&path, "/bindings/{vhost}/e/%s/q/%s", exchange, queue);
    text_addf(&body, "{\"routing_key\":\"%s\"}", key);
    ck_assert_int_eq(management_call("POST", path.at, body.at), 201);
}

START_TEST(an_exchange_hands_messages_to_the_queues_that_want_them)
{
    const char *exchange = amqp_probe_name();
    const char *const exchanges[] = {exchange, NULL};
    struct amqp_queue queue = fleeting(amqp_probe_name());
    struct msg m = {.exchange = exchange, .mandatory = true, .body = "{}", .size = 2};
    _cleanup_(text_deinitp) struct text path = {0};

    queue.consume = true;
    amqp_probe_start(&probe, (struct amqp_link_config){
                                 .queues = &queue, .queue_count = 1, .exchanges = exchanges});
    amqp_probe_until(&probe, probe.ups);
    bind(exchange, queue.name, "com.app.mo.Task.*");
    m.queue = "com.app.mo.Task.created";
    amqp_probe_publish(&probe, &m);
    m.queue = "com.app.mo.Person.created"; /* nobody wants that */
    amqp_probe_publish(&probe, &m);
    amqp_probe_until(&probe, probe.told == 2 && probe.count == 1);
    ck_assert_uint_eq(probe.confirmed, 1);
    ck_assert_uint_eq(probe.returned, 1);
    text_addf(&path, "/exchanges/{vhost}/%s", exchange);
    ck_assert_int_eq(management_call("DELETE", path.at, NULL), 204);
}
END_TEST

START_TEST(a_large_message_leaves_through_an_exchange_too)
{
    struct amqp_queue queue = fleeting(amqp_probe_name());
    char *body = calloc(1, AMQP_BODY_LIMIT + 1);
    struct msg m = {.exchange = "amq.topic", .queue = "a.b", .size = AMQP_BODY_LIMIT};

    ck_assert_ptr_nonnull(body);
    m.body = memset(body, 'x', AMQP_BODY_LIMIT);
    queue.consume = true;
    open_with(&probe, &queue, 1);
    bind("amq.topic", queue.name, "a.b");
    amqp_probe_publish(&probe, &m);
    amqp_probe_until(&probe, probe.count == 1 && probe.confirmed == 1);
    ck_assert_uint_eq(probe.messages[0]->size, AMQP_BODY_LIMIT);
    free(body);
}
END_TEST

/* ---- Counting ---- */

START_TEST(consumers_are_counted)
{
    struct amqp_queue queue = fleeting(amqp_probe_name());

    open_with(&probe, &queue, 1);
    ask(queue.name);
    ck_assert(is_counted(queue.name, 0));
    queue.consume = true;
    open_with(&other, &queue, 1);
    ask(queue.name);
    ck_assert(is_counted(queue.name, 1));
    amqp_probe_close(&other);
    ask(queue.name);
    ck_assert(is_counted(queue.name, 0));
    ck_assert_int_eq(probe.downs, 0);
}
END_TEST

START_TEST(a_queue_that_is_not_there_disturbs_no_other_question)
{
    struct amqp_queue queue = fleeting(amqp_probe_name());
    const char *missing[3] = {amqp_probe_name(), amqp_probe_name(), amqp_probe_name()};
    _cleanup_(text_deinitp) struct text expected = {0};

    open_with(&probe, &queue, 1);
    for (size_t i = 0; i < 200; i++) {
        const char *name = i % 2 ? queue.name : missing[i % 3];

        ck_assert_int_eq(amqp_link_count_consumers(probe.link, name), ERR_OK);
        amqp_probe_say(&probe, queue.name, "{}");
        text_addf(&expected, "%s %d\n", name, i % 2 ? 0 : -1);
    }
    amqp_probe_until(&probe, probe.counted.size >= expected.size && probe.confirmed == 200);
    ck_assert_str_eq(text_str(&probe.counted), text_str(&expected));
    ck_assert_int_eq(probe.downs, 0);
}
END_TEST

START_TEST(what_is_no_queue_s_name_is_not_asked)
{
    char name[257];

    memset(name, 'q', 256);
    name[256] = '\0';
    amqp_probe_open(&probe, NULL, NULL);
    ck_assert_int_eq(amqp_link_count_consumers(probe.link, ""), ERR_RANGE);
    ck_assert_int_eq(amqp_link_count_consumers(probe.link, name), ERR_RANGE);
    name[255] = '\0';
    ask(name);
    ck_assert(is_counted(name, -1));
}
END_TEST

START_TEST(a_question_is_forgotten_with_the_link_and_the_next_one_is_answered)
{
    struct amqp_queue queue = fleeting(amqp_probe_name());
    _cleanup_(text_deinitp) struct text path = {0};

    queue.consume = true;
    open_with(&probe, &queue, 1);
    ask("test-no-such-queue");
    text_addf(&path, "/queues/{vhost}/%s", queue.name);
    ck_assert_int_eq(management_call("DELETE", path.at, NULL), 204); /* takes the link down */
    amqp_probe_until(&probe, probe.downs == 1);
    ck_assert_int_eq(amqp_link_count_consumers(probe.link, queue.name), ERR_AWAY);
    amqp_probe_until(&probe, probe.ups == 2);
    ask(queue.name);
    ck_assert(is_counted(queue.name, 1));
}
END_TEST

static const TTest *const *const tests[] = {
    &each_consumer_has_the_prefetch_of_its_queue,
    &a_quorum_queue_gives_up_a_message_that_is_delivered_in_vain,
    &the_message_s_own_reason_goes_before_the_broker_s,
    &a_queue_that_wants_to_know_is_told_of_an_absurdly_large_delivery,
    &an_exchange_hands_messages_to_the_queues_that_want_them,
    &a_large_message_leaves_through_an_exchange_too,
    &consumers_are_counted,
    &a_queue_that_is_not_there_disturbs_no_other_question,
    &what_is_no_queue_s_name_is_not_asked,
    &a_question_is_forgotten_with_the_link_and_the_next_one_is_answered,
};

int main(void)
{
    TCase *t;

    if (!getenv("AMQP_URL") || !getenv("MANAGEMENT_URL")) {
        puts("skipped: AMQP_URL and MANAGEMENT_URL name no broker");
        return 77;
    }
    t = tcase_create("amqp_queues");
    tcase_add_checked_fixture(t, NULL, close_probes);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(t, *tests[i]);
    return unit_run_case("amqp_queues", t);
}
