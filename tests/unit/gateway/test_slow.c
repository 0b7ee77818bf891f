#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/process/settings.h"
#include "gateway/clients/slow.h"
#include "gateway/conversation/dialect.h"
#include "tests/support/unit.h"

#define AGE_MS 1000

static const struct client_limits limits = {.send_bytes = 100, .pause_bytes = 100};
static const struct settings settings = {.gateway_max_push_bytes = 20,
                                         .gateway_max_send_age_ms = AGE_MS};

static void want_write(void *socket)
{
    (void)socket;
}

static void pause_reading(void *socket, bool pause)
{
    (void)socket;
    (void)pause;
}

static void start_closing(void *socket, int patience_s)
{
    (void)socket;
    (void)patience_s;
}

static const struct client_wire wire = {want_write, pause_reading, start_closing};

static struct gateway g;

static void set_up(void)
{
    assert_ok(secret_init());
    g.settings = &settings;
    TAILQ_INIT(&g.waiting);
    g.metrics = metrics_create(&gateway_metrics, NULL);
}

static void tear_down(void)
{
    ck_assert_int_eq(metrics_get(g.metrics, METRIC_BEHIND), 0);
    ck_assert(TAILQ_EMPTY(&g.waiting));
    metrics_destroy(g.metrics);
}

static struct client *create(void)
{
    struct client *c;

    assert_ok(client_create(&dialect_activestack, &wire, &limits, NULL, &c));
    client_set_state(c, CLIENT_CONNECTED);
    client_set_state(c, CLIENT_BINDING);
    return c;
}

static void destroy(struct client *c)
{
    slow_forget(&g, c);
    client_destroy(c);
}

static void send_bytes(struct client *c, size_t size)
{
    static const char bytes[100];

    client_send(c, bytes, size);
}

static void read_all(struct client *c)
{
    while (client_next_frame(c))
        client_frame_written(c);
    slow_emptied(&g, c);
}

START_TEST(pushes_wait_from_the_limit_on_until_the_queue_is_empty)
{
    struct client *c = create();

    client_set_state(c, CLIENT_READY);
    send_bytes(c, 10);
    send_bytes(c, 10);
    ck_assert(slow_takes_push(&g, c));
    send_bytes(c, 1);
    ck_assert(!slow_takes_push(&g, c));
    ck_assert_int_eq(metrics_get(g.metrics, METRIC_BEHIND), 1);
    client_frame_written(c);
    client_frame_written(c);
    slow_waits(&g, c);
    ck_assert(!slow_takes_push(&g, c));
    read_all(c);
    ck_assert(slow_takes_push(&g, c));
    destroy(c);
}
END_TEST

START_TEST(who_is_being_bound_has_caught_up_only_when_it_is_bound)
{
    struct client *c = create();

    send_bytes(c, 21);
    ck_assert(!slow_takes_push(&g, c));
    read_all(c);
    ck_assert(!slow_takes_push(&g, c));
    client_set_state(c, CLIENT_READY);
    send_bytes(c, 1);
    read_all(c);
    ck_assert(slow_takes_push(&g, c));
    destroy(c);
}
END_TEST

START_TEST(who_reads_nothing_for_too_long_is_closed)
{
    struct client *silent = create(), *slow = create();
    const int64_t now_ms = clock_mono_ms();

    slow_waits(&g, slow);
    slow_waits(&g, silent);
    slow_tick(&g, now_ms + AGE_MS - 1);
    ck_assert_int_eq(silent->close_code, 0);
    slow->waits_since_ms = silent->waits_since_ms = now_ms;
    slow_waits(&g, slow);
    slow->waits_since_ms = now_ms + 1;
    slow_tick(&g, now_ms + AGE_MS);
    ck_assert_int_eq(silent->close_code, 4003);
    ck_assert_int_eq(slow->close_code, 0);
    slow_tick(&g, now_ms + AGE_MS + 1);
    ck_assert_int_eq(slow->close_code, 4003);
    destroy(silent);
    destroy(slow);
}
END_TEST

START_TEST(who_has_read_all_is_not_closed)
{
    struct client *c = create();

    slow_waits(&g, c);
    read_all(c);
    slow_tick(&g, clock_mono_ms() + AGE_MS + 1);
    ck_assert_int_eq(c->close_code, 0);
    destroy(c);
}
END_TEST

START_TEST(who_goes_is_forgotten)
{
    struct client *c = create();

    send_bytes(c, 21);
    ck_assert(!slow_takes_push(&g, c));
    slow_waits(&g, c);
    destroy(c);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("slow");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, pushes_wait_from_the_limit_on_until_the_queue_is_empty);
    tcase_add_test(tests, who_is_being_bound_has_caught_up_only_when_it_is_bound);
    tcase_add_test(tests, who_reads_nothing_for_too_long_is_closed);
    tcase_add_test(tests, who_has_read_all_is_not_closed);
    tcase_add_test(tests, who_goes_is_forgotten);
    return unit_run_case("slow", tests);
}
