#include <string.h>

#include "gateway/conversation/answers.h"
#include "tests/support/unit.h"
#include "tests/support/world.h"

#define WORLD     _cleanup_(world_deinit) struct world
#define CLIENTS   600
#define BATCH_MAX 250

/* A client that is bound. */
static struct client *open_bound(struct world *w)
{
    struct client *c = world_open(w);

    client_set_state(c, CLIENT_CONNECTED);
    client_set_state(c, CLIENT_BINDING);
    client_set_state(c, CLIENT_READY);
    c->bound = true;
    return c;
}

static void forget(struct world *w, struct client *c)
{
    c->bound = false;
    world_close(w, c);
}

static struct msg *expect_published(struct world *w, const char *operation)
{
    struct msg *m = world_published(w);

    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(m->queue, operation);
    ck_assert_str_eq(m->reply_to, bridge_queue_name(w->g.bridge));
    return m;
}

static void assert_nothing_published(struct world *w)
{
    struct msg *m = world_published(w);

    ck_assert_msg(!m, "%s", m ? m->queue : "");
}

static size_t count_clients(const struct msg *m)
{
    return json_count(json_member(json_value(m->body, m->size), "clients", NULL));
}

/* The gateway says that it lives, and hears this. */
static void answer_alive(struct world *w, int64_t now_ms, const char *answer)
{
    struct msg *m;

    announcements_tick(&w->g, now_ms);
    m = expect_published(w, "gatewayAlive");
    world_reply(w, m, answer, NULL);
    msg_destroy(m);
}

START_TEST(the_lease_is_renewed_in_time_one_request_at_a_time)
{
    WORLD w;
    _cleanup_(text_deinitp) struct text expected = {0};
    struct msg *m;

    world_init(&w);
    announcements_tick(&w.g, 1);
    m = expect_published(&w, "gatewayAlive");
    text_addf(&expected, "{\"v\":1,\"gateway\":\"%s\",\"clients\":0}",
              bridge_queue_name(w.g.bridge));
    assert_text(&expected, m->body);
    announcements_tick(&w.g, 5000);
    assert_nothing_published(&w); /* the first one has not been answered */
    world_reply(&w, m, "{\"v\":1,\"lease\":1}", NULL);
    msg_destroy(m);
    announcements_tick(&w.g, 5999);
    assert_nothing_published(&w);
    answer_alive(&w, 6000, "{\"v\":1,\"lease\":1}");
    assert_nothing_published(&w);
}
END_TEST

START_TEST(a_renewal_that_fails_is_made_again)
{
    WORLD w;

    world_init(&w);
    announcements_tick(&w.g, 1);
    msg_destroy(expect_published(&w, "gatewayAlive"));
    answers_tick(&w.g, INT64_MAX);
    answer_alive(&w, 1001, "{}");
    answer_alive(&w, 2001, "{\"lease\":1}");
    assert_nothing_published(&w);
}
END_TEST

START_TEST(under_another_lease_all_clients_are_announced_in_batches)
{
    WORLD w;
    struct client *clients[CLIENTS], *stranger;
    size_t announced = 0;

    world_init(&w);
    stranger = world_open(&w);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = open_bound(&w);
    answer_alive(&w, 1, "{\"v\":1,\"lease\":7}");
    while (announced < CLIENTS) {
        struct msg *m = expect_published(&w, "announce");

        ck_assert_uint_le(count_clients(m), BATCH_MAX);
        ck_assert_ptr_null(strstr(m->body, stranger->session.client_id));
        announced += count_clients(m);
        world_reply(&w, m, "{\"v\":1,\"close\":[]}", NULL);
        msg_destroy(m);
    }
    ck_assert_uint_eq(announced, CLIENTS);
    answer_alive(&w, 1001, "{\"v\":1,\"lease\":7}");
    assert_nothing_published(&w);
    for (size_t i = 0; i < CLIENTS; i++)
        forget(&w, clients[i]);
    world_close(&w, stranger);
}
END_TEST

START_TEST(who_is_bound_elsewhere_or_unknown_is_closed)
{
    WORLD w;
    _cleanup_(text_deinitp) struct text answer = {0};
    struct client *taken, *ended, *kept, *leaving;
    struct msg *m;

    world_init(&w);
    taken = open_bound(&w);
    ended = open_bound(&w);
    kept = open_bound(&w);
    leaving = open_bound(&w);
    client_set_state(leaving, CLIENT_LEAVING);
    announcements_all(&w.g);
    m = expect_published(&w, "announce");
    ck_assert_uint_eq(count_clients(m), 4);
    text_addf(&answer, "{\"v\":1,\"close\":[[\"%s\",4001],[\"%s\",4005],[\"%s\",4005],[7],[],7]}",
              taken->session.client_id, ended->session.client_id, leaving->session.client_id);
    world_reply(&w, m, text_str(&answer), NULL);
    msg_destroy(m);
    ck_assert_int_eq(taken->close_code, 4001);
    ck_assert_int_eq(ended->close_code, 4005);
    ck_assert_int_eq(kept->close_code, 0);
    ck_assert_int_eq(leaving->close_code, 0); /* its logout closes it */
    forget(&w, taken);
    forget(&w, ended);
    forget(&w, kept);
    forget(&w, leaving);
}
END_TEST

START_TEST(an_announcement_that_is_not_taken_is_made_again_with_the_next_renewal)
{
    static const char *const failures[] = {"{\"errorCode\":\"0\"}", "no JSON", NULL};

    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        WORLD w;
        struct client *c;
        struct msg *m;

        world_init(&w);
        answer_alive(&w, 1, "{\"lease\":1}");
        c = open_bound(&w);
        announcements_one(&w.g, c);
        m = expect_published(&w, "announce");
        if (failures[i])
            world_reply(&w, m, failures[i], NULL);
        else
            answers_tick(&w.g, INT64_MAX);
        msg_destroy(m);
        assert_nothing_published(&w);
        answer_alive(&w, 1001, "{\"lease\":1}");
        m = expect_published(&w, "announce");
        ck_assert_uint_eq(count_clients(m), 1);
        msg_destroy(m);
        forget(&w, c);
    }
}
END_TEST

START_TEST(nothing_is_announced_of_who_is_not_bound)
{
    WORLD w;
    struct client *c;

    world_init(&w);
    announcements_all(&w.g);
    c = world_open(&w);
    announcements_one(&w.g, c);
    announcements_all(&w.g);
    assert_nothing_published(&w);
    world_close(&w, c);
}
END_TEST

UNIT_SUITE("announcements", the_lease_is_renewed_in_time_one_request_at_a_time,
           a_renewal_that_fails_is_made_again,
           under_another_lease_all_clients_are_announced_in_batches,
           who_is_bound_elsewhere_or_unknown_is_closed,
           an_announcement_that_is_not_taken_is_made_again_with_the_next_renewal,
           nothing_is_announced_of_who_is_not_bound)
