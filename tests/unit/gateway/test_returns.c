#include <string.h>

#include "common/base/clock.h"
#include "gateway/clients/session.h"
#include "gateway/conversation/announcements.h"
#include "gateway/conversation/control.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/pushes.h"
#include "tests/support/unit.h"
#include "tests/support/world.h"

#define WORLD _cleanup_(world_deinit) struct world
#define ID    "0123456789abcdef0123456789abcdef"
#define BARE                                                                        \
    "{\"cn\":\"com.percero.agents.sync.vo.ReconnectRequest\",\"messageId\":\"m1\"," \
    "\"userId\":\"u1\",\"token\":\"t1\",\"deviceId\":\"d1\",\"existingClientId\":\"" ID "\"}"

static void assert_heard(struct world *w, struct client *c, const char *part)
{
    char *text = world_hear(w, c);

    ck_assert_msg(text && strstr(text, part), "no \"%s\" in \"%s\"", part, text ? text : "nothing");
    free(text);
}

static void assert_silent(struct world *w, struct client *c)
{
    char *text = world_hear(w, c);

    ck_assert_msg(!text, "%s", text);
}

static struct msg *expect_published(struct world *w, const char *operation)
{
    struct msg *m = world_published(w);

    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(m->queue, operation);
    return m;
}

static void assert_nothing_published(struct world *w)
{
    struct msg *m = world_published(w);

    ck_assert_msg(!m, "%s", m ? m->queue : "");
}

/* {"reconnect":...} with a session of this gateway's making; logged in unless `user` is NULL. */
static void say_reconnect(struct world *w, struct client *c, const char *user)
{
    _cleanup_(session_deinitp) struct session earlier = {0};
    _cleanup_(text_deinitp) struct text frame = {0};

    session_login(&earlier, user, user ? "t1" : NULL, "d1");
    memcpy(earlier.client_id, ID, sizeof(ID));
    text_add(&frame, "{\"reconnect\":{\"reconnectId\":\"");
    session_sign(&earlier, &w->g.keys, clock_wall_ms(), &frame);
    text_add(&frame, "\"}}");
    world_say(w, c, text_str(&frame));
}

/* A ConnectResponse for the client that the request is of, or for none. */
static void reply_bound(struct world *w, const struct msg *request, bool bound)
{
    _cleanup_(text_deinitp) struct text body = {0};

    response_connect(&body, bound ? request->client : NULL, request->message_id,
                     bound ? NULL : "\"why\"");
    if (bound)
        world_reply_bound(w, request, text_str(&body), "u1");
    else
        world_reply(w, request, text_str(&body), NULL);
}

static void reply_part(struct world *w, const struct msg *request)
{
    _cleanup_(text_deinitp) struct text body = {0};

    text_addf(&body,
              "{\"v\":1,\"groups\":[{\"to\":[\"%s\"],\"kind\":\"u\",\"of\":[[\"k:1\",1]],"
              "\"body\":{\"clientId\":null,\"part\":1}},"
              "{\"to\":[\"%s\"],\"kind\":\"w\",\"of\":[[\"~k:1\\tsize\\t[]\",1]],"
              "\"body\":{\"clientId\":null,\"value\":1}}]}",
              request->client, request->client);
    world_reply(w, request, text_str(&body), "more");
}

START_TEST(a_bare_request_is_put_as_the_spec_says)
{
    WORLD w;
    _cleanup_(text_deinitp) struct text expected = {0};
    _cleanup_(msg_destroyp) struct msg *m = NULL;
    struct client *c;

    world_init(&w);
    c = world_open(&w);
    world_say(&w, c, BARE);
    assert_heard(&w, c, "gatewayConnectAck");
    m = expect_published(&w, "reconnect");
    text_addf(&expected,
              "{\"cn\":\"com.percero.agents.sync.vo.ReconnectRequest\",\"existingClientId\":\"" ID
              "\",\"existingClientIds\":[\"" ID "\"],\"clientId\":\"%s\",\"deviceId\":\"d1\","
              "\"token\":\"%s\",\"userId\":\"u1\"}",
              c->session.client_id,
              "sha256:628b49d96dcde97a430dd4f597705899e09a968f793491e4b704cae33a40dc02");
    assert_text(&expected, m->body);
    ck_assert_str_eq(m->message_id, "m1");
    ck_assert_str_eq(m->client, c->session.client_id);
    reply_bound(&w, m, true);
    assert_heard(&w, c, "ConnectResponse");
    ck_assert_int_eq(c->state, CLIENT_READY);
    world_close(&w, c);
}
END_TEST

/* Its binding may have ended, and pushes to it been lost, before its ConnectResponse came. */
START_TEST(who_was_binding_when_all_were_announced_is_announced_when_it_has_bound)
{
    WORLD w;
    struct client *c;
    struct msg *reconnect, *announce;

    world_init(&w);
    c = world_open(&w);
    say_reconnect(&w, c, "u1");
    reconnect = expect_published(&w, "reconnect");
    announcements_all(&w.g);
    assert_nothing_published(&w); /* nobody is bound yet */
    reply_bound(&w, reconnect, true);
    announce = expect_published(&w, "announce");
    ck_assert_ptr_nonnull(strstr(announce->body, c->session.client_id));
    msg_destroy(announce);
    msg_destroy(reconnect);
    world_close(&w, c);
}
END_TEST

START_TEST(a_signed_session_of_nobody_only_connects)
{
    WORLD w;
    struct client *c;

    world_init(&w);
    c = world_open(&w);
    say_reconnect(&w, c, NULL);
    assert_heard(&w, c, "gatewayConnectAck");
    assert_silent(&w, c);
    assert_nothing_published(&w);
    ck_assert_int_eq(c->state, CLIENT_CONNECTED);
    world_close(&w, c);
    assert_nothing_published(&w);
}
END_TEST

START_TEST(the_next_part_is_asked_for_when_the_last_has_left)
{
    WORLD w;
    struct client *c;
    struct msg *m;

    world_init(&w);
    c = world_open(&w);
    world_say(&w, c, BARE);
    world_skip(&w, c, 1);
    m = expect_published(&w, "reconnect");
    for (int i = 0; i < 3; i++) {
        reply_part(&w, m);
        msg_destroy(m);
        assert_nothing_published(&w); /* the client has not read it */
        assert_heard(&w, c, "\"part\"");
        assert_heard(&w, c, "\"value\"");
        m = expect_published(&w, "reconnect");
        ck_assert_str_eq(m->message_id, "m1");
    }
    reply_bound(&w, m, true);
    msg_destroy(m);
    assert_heard(&w, c, "\"correspondingMessageId\":\"m1\"");
    assert_nothing_published(&w);
    ck_assert_uint_eq(sends_count(c->owed.sends), 2);
    world_close(&w, c);
}
END_TEST

START_TEST(pushes_and_repeated_replies_are_delivered_before_the_response)
{
    WORLD w;
    _cleanup_(text_deinitp) struct text push = {0};
    _cleanup_(msg_destroyp) struct msg *m = NULL;
    struct client *c;

    world_init(&w);
    c = world_open(&w);
    text_addf(&push,
              "{\"v\":1,\"groups\":[{\"to\":[\"%s\",\"" ID "\"],\"kind\":\"u\",\"of\":[],"
              "\"body\":{\"clientId\":null}}]}",
              c->session.client_id);
    pushes_deliver(&w.g, &(struct msg){.body = push.at, .size = push.size});
    assert_silent(&w, c); /* not logged in */
    say_reconnect(&w, c, "u1");
    world_skip(&w, c, 1);
    m = expect_published(&w, "reconnect");
    ck_assert_str_eq(m->client, c->session.client_id);
    pushes_deliver(&w.g, &(struct msg){.body = push.at, .size = push.size});
    pushes_again(&w.g, &(struct msg){.client = c->session.client_id, .body = "{}", .size = 2});
    pushes_again(&w.g, &(struct msg){.client = ID, .body = "{}", .size = 2});
    assert_heard(&w, c, c->session.client_id);
    assert_heard(&w, c, "{}");
    assert_silent(&w, c);
    world_close(&w, c);
}
END_TEST

START_TEST(after_a_refusal_a_login_is_a_plain_one)
{
    WORLD w;
    _cleanup_(msg_destroyp) struct msg *reconnect = NULL, *login = NULL, *bind = NULL;
    struct client *c;

    world_init(&w);
    c = world_open(&w);
    say_reconnect(&w, c, "u1");
    world_skip(&w, c, 1);
    reconnect = expect_published(&w, "reconnect");
    reply_bound(&w, reconnect, false);
    assert_heard(&w, c, "\"clientId\":null");
    ck_assert_int_eq(c->state, CLIENT_CONNECTED);
    world_say(&w, c, "[\"authenticate\",{\"messageId\":\"m2\"}]");
    login = expect_published(&w, "authenticate");
    world_reply(&w, login, "{\"result\":{\"user\":{\"ID\":\"u2\"},\"token\":\"t2\"}}", NULL);
    bind = expect_published(&w, "connect");
    assert_lacks(bind->body, "existing");
    world_close(&w, c);
    assert_nothing_published(&w); /* nothing has been bound */
}
END_TEST

START_TEST(an_error_of_the_agents_is_no_binding)
{
    WORLD w;
    _cleanup_(text_deinitp) struct text error = {0};
    _cleanup_(msg_destroyp) struct msg *m = NULL;
    struct client *c;

    world_init(&w);
    c = world_open(&w);
    say_reconnect(&w, c, "u1");
    world_skip(&w, c, 1);
    m = expect_published(&w, "reconnect");
    response_error(&error, c->session.client_id, NULL, CODE_INTERNAL, "out of order");
    world_reply(&w, m, text_str(&error), NULL);
    assert_heard(&w, c, "out of order");
    ck_assert_int_eq(c->state, CLIENT_CONNECTED);
    world_close(&w, c);
}
END_TEST

START_TEST(a_binding_that_comes_too_late_is_undone)
{
    static const bool in_parts[] = {false, true};

    for (size_t i = 0; i < ARRAY_SIZE(in_parts); i++) {
        WORLD w;
        _cleanup_(msg_destroyp) struct msg *m = NULL, *farewell = NULL;
        struct client *c;

        world_init(&w);
        c = world_open(&w);
        say_reconnect(&w, c, "u1");
        m = expect_published(&w, "reconnect");
        world_close(&w, c);
        assert_nothing_published(&w);
        if (in_parts[i])
            reply_part(&w, m);
        else
            reply_bound(&w, m, true);
        farewell = expect_published(&w, "disconnect");
        ck_assert_str_eq(farewell->client, m->client);
        reply_bound(&w, m, false);
        assert_nothing_published(&w);
    }
}
END_TEST

START_TEST(who_goes_between_two_parts_is_unbound)
{
    WORLD w;
    _cleanup_(msg_destroyp) struct msg *m = NULL, *farewell = NULL;
    struct client *c;

    world_init(&w);
    c = world_open(&w);
    say_reconnect(&w, c, "u1");
    world_skip(&w, c, 1);
    m = expect_published(&w, "reconnect");
    reply_part(&w, m);
    world_close(&w, c);
    farewell = expect_published(&w, "disconnect");
    ck_assert_str_eq(farewell->client, m->client);
}
END_TEST

START_TEST(agents_close_a_socket_by_its_client_id)
{
    static const struct {
        const char *reason;
        int64_t code;
        int closes_with;
    } messages[] = {{"close", 4001, 4001}, {"close", 4002, 4002}, {"close", 4005, 4005},
                    {"close", 1000, 0},    {"open", 4001, 0},     {NULL, 4001, 0}};

    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        WORLD w;
        struct client *c;

        world_init(&w);
        c = world_open(&w);
        say_reconnect(&w, c, "u1");
        control_take(&w.g, &(struct msg){.client = ID, .reason = "close", .code = 4001});
        ck_assert_int_eq(c->close_code, 0);
        control_take(&w.g, &(struct msg){.client = c->session.client_id,
                                         .reason = messages[i].reason,
                                         .code = messages[i].code});
        ck_assert_int_eq(c->close_code, messages[i].closes_with);
        world_close(&w, c);
    }
}
END_TEST

/* How a client is closed that asks for a session in vain at each of these times. */
static int close_code_of_returns(const int64_t *at_ms, size_t count)
{
    const int64_t start_ms = clock_mono_ms();
    WORLD w;
    struct client *c;
    int code;

    world_init(&w);
    c = world_open(&w);
    for (size_t i = 0; i < count; i++) {
        struct msg *m;

        world_say(&w, c, BARE);
        m = expect_published(&w, "reconnect");
        login_tick(&w.g, start_ms + at_ms[i]);
        ck_assert_int_eq(c->close_code, 0); /* while it is being asked */
        reply_bound(&w, m, false);
        msg_destroy(m);
    }
    code = c->close_code;
    login_tick(&w.g, start_ms + 100000);
    ck_assert_int_eq(c->close_code, 4004); /* it is still expected to log in */
    world_close(&w, c);
    return code;
}

START_TEST(who_returns_in_vain_has_no_more_time_to_log_in)
{
    static const int64_t in_time[] = {0, 0}, at_last[] = {0, 100000};

    ck_assert_int_eq(close_code_of_returns(in_time, ARRAY_SIZE(in_time)), 0);
    ck_assert_int_eq(close_code_of_returns(at_last, ARRAY_SIZE(at_last)), 4004);
}
END_TEST

START_TEST(another_time_to_log_in_is_for_those_who_wait_too)
{
    const int64_t start_ms = clock_mono_ms();
    WORLD w;
    struct client *first, *second;

    world_init(&w);
    first = world_open(&w);
    login_set_timeout(&w.g, 1000000);
    second = world_open(&w);
    login_tick(&w.g, start_ms + 500000);
    ck_assert_int_eq(first->close_code, 0);
    login_set_timeout(&w.g, 100);
    login_tick(&w.g, start_ms + 500000);
    ck_assert_int_eq(first->close_code, 4004);
    ck_assert_int_eq(second->close_code, 4004);
    world_close(&w, first);
    world_close(&w, second);
}
END_TEST

UNIT_SUITE("returns", a_bare_request_is_put_as_the_spec_says,
           who_was_binding_when_all_were_announced_is_announced_when_it_has_bound,
           a_signed_session_of_nobody_only_connects,
           the_next_part_is_asked_for_when_the_last_has_left,
           pushes_and_repeated_replies_are_delivered_before_the_response,
           after_a_refusal_a_login_is_a_plain_one, an_error_of_the_agents_is_no_binding,
           a_binding_that_comes_too_late_is_undone, who_goes_between_two_parts_is_unbound,
           agents_close_a_socket_by_its_client_id, who_returns_in_vain_has_no_more_time_to_log_in,
           another_time_to_log_in_is_for_those_who_wait_too)
