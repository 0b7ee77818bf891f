#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "gateway/conversation/answers.h"
#include "gateway/conversation/login.h"
#include "gateway/conversation/pushes.h"
#include "gateway/conversation/receipts.h"
#include "gateway/conversation/requests.h"
#include "tests/support/unit.h"
#include "tests/support/world.h"

/* The conversation with a client of the content protocol. */

#define LOGIN                                               \
    "{\"type\":\"request\",\"id\":\"l\",\"cls\":\"login\"," \
    "\"data\":{\"username\":\"ada\",\"password\":\"a:b\"}}"
#define RECONNECT                                               \
    "{\"type\":\"request\",\"id\":\"r\",\"cls\":\"reconnect\"," \
    "\"data\":{\"session\":\"t1\"}}"
#define LOGOUT    "{\"type\":\"request\",\"id\":\"o\",\"cls\":\"logout\"}"
#define TOKEN     "{\"result\":{\"user\":{\"ID\":\"u1\"},\"token\":\"t1\"}}"
#define T1_HASHED "sha256:628b49d96dcde97a430dd4f597705899e09a968f793491e4b704cae33a40dc02"
#define REFUSED   "{\"message\":\"Bad username or password\",\"result\":null}"
#define LOGGED_IN "{\"type\":\"result\",\"id\":\"l\",\"cls\":\"login\",\"status\":200}"

static struct world w;
static struct client *c;

static void set_up(void)
{
    world_init(&w);
    c = world_open_content(&w);
}

static void tear_down(void)
{
    world_close(&w, c);
    world_deinit(&w);
}

static void assert_heard(const char *part)
{
    char *text = world_hear(&w, c);

    ck_assert_msg(text && strstr(text, part), "no %s in %s", part, text ? text : "nothing");
    free(text);
}

static void assert_silent(void)
{
    char *text = world_hear(&w, c);

    ck_assert_msg(!text, "%s", text);
}

static void assert_nothing_published(void)
{
    struct msg *m = world_published(&w);

    ck_assert_msg(!m, "%s", m ? m->queue : "");
}

static struct msg *expect_published(const char *operation)
{
    struct msg *m = world_published(&w);

    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(m->queue, operation);
    return m;
}

/* What the client says leads to this operation, which is answered. */
static void say_and_reply(const char *frame, const char *operation, const char *body)
{
    struct msg *m;

    if (frame)
        world_say(&w, c, frame);
    m = expect_published(operation);
    world_reply(&w, m, body, NULL);
    msg_destroy(m);
}

static void bind_as(const char *operation, const char *body)
{
    struct msg *m = expect_published(operation);

    world_reply_bound(&w, m, body, "u1");
    msg_destroy(m);
}

/* An error does not tell whether the client has been bound before. */
static void expect_unbound(const char *client)
{
    struct msg *m = expect_published("disconnect");

    ck_assert_str_eq(m->client, client);
    msg_destroy(m);
}

static void log_in(void)
{
    say_and_reply(LOGIN, "authenticate", TOKEN);
    bind_as("connect", LOGGED_IN);
    assert_heard("\"cls\":\"login\",\"status\":200");
    ck_assert_int_eq(c->state, CLIENT_READY);
}

START_TEST(a_login_asks_for_a_token_and_then_for_a_binding_and_says_only_the_result)
{
    _cleanup_(msg_destroyp) struct msg *login = NULL, *bind = NULL;

    world_say(&w, c, LOGIN);
    login = expect_published("authenticate");
    ck_assert_str_eq(login->body, "{\"cn\":\"com.percero.agents.auth.vo.AuthenticationRequest\","
                                  "\"authProvider\":\"file\",\"credential\":\"ada:a:b\"}");
    ck_assert_str_eq(login->encoding, "xchacha20-poly1305");
    ck_assert_str_eq(login->message_id, "l");
    ck_assert_str_eq(login->dialect, "content");
    ck_assert_str_eq(login->client, c->session.client_id);
    world_reply(&w, login, TOKEN, NULL);
    assert_silent();
    bind = expect_published("connect");
    ck_assert_ptr_null(bind->encoding);
    ck_assert_str_eq(bind->message_id, "l");
    ck_assert_str_eq(bind->dialect, "content");
    ck_assert_str_eq(bind->user, "u1");
    assert_contains(bind->body, "\"token\":\"" T1_HASHED "\"");
    world_reply_bound(&w, bind, LOGGED_IN, "u1");
    assert_heard(LOGGED_IN);
    assert_silent();
    ck_assert_int_eq(c->state, CLIENT_READY);
}
END_TEST

/* The sync agents do not know it. */
START_TEST(the_token_takes_the_place_that_the_agents_leave_for_it)
{
    static const char *const results[][2] = {
        {"{\"data\":{\"session\":null,\"self\":1}}", "{\"data\":{\"session\":\"t1\",\"self\":1}}"},
        {"{\"data\":{\"session\":\"x\"}}", "{\"data\":{\"session\":\"x\"}}"},
        {"{\"session\":null}", "{\"session\":null}"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        char *heard;

        say_and_reply(LOGIN, "authenticate", TOKEN);
        bind_as("connect", results[i][0]);
        heard = world_hear(&w, c);
        ck_assert_str_eq(heard, results[i][1]);
        free(heard);
        world_close(&w, c);
        c = world_open_content(&w);
        msg_destroy(expect_published("disconnect"));
    }
}
END_TEST

START_TEST(an_answer_that_cannot_be_opened_is_an_error)
{
    _cleanup_(msg_destroyp) struct msg *login = NULL;

    world_say(&w, c, LOGIN);
    login = expect_published("authenticate");
    answers_reply(&w.g, &(struct msg){.type = "reply",
                                      .correlation_id = login->correlation_id,
                                      .encoding = login->encoding,
                                      .body = TOKEN,
                                      .size = sizeof(TOKEN) - 1});
    assert_heard("\"status\":500,\"data\":{\"code\":500");
    assert_nothing_published();
    log_in();
}
END_TEST

START_TEST(a_refused_login_is_an_invalid_credential_and_may_be_tried_again)
{
    say_and_reply(LOGIN, "authenticate", REFUSED);
    assert_heard("{\"type\":\"error\",\"id\":\"l\",\"cls\":\"login\",\"status\":401,"
                 "\"data\":{\"code\":4010130,\"msg\":\"Invalid Credential\"}}");
    log_in();
}
END_TEST

START_TEST(a_name_with_a_colon_is_nobodys)
{
    world_say(&w, c,
              "{\"type\":\"request\",\"id\":\"l\",\"cls\":\"login\","
              "\"data\":{\"username\":\"ada:x\",\"password\":\"y\"}}");
    assert_heard("\"code\":4010130");
    assert_nothing_published();
}
END_TEST

START_TEST(an_error_of_the_agents_is_passed_on)
{
    const char *error = "{\"type\":\"error\",\"id\":\"l\",\"cls\":\"login\",\"status\":500,"
                        "\"data\":{\"code\":5000199,\"msg\":\"Internal Error\"}}";
    char first[SECRET_ID_CHARS + 1];

    say_and_reply(LOGIN, "authenticate", error);
    assert_heard("5000199");
    say_and_reply(LOGIN, "authenticate", TOKEN);
    memcpy(first, c->session.client_id, sizeof(first));
    say_and_reply(NULL, "connect", error); /* it names no user */
    assert_heard("5000199");
    expect_unbound(first);
    ck_assert_int_eq(c->state, CLIENT_CONNECTED);
    log_in();
}
END_TEST

static const struct {
    const char *data;
    const char *problem;
} bad_logins[] = {
    {"", "data.username: expected a string, found absent"},
    {",\"data\":7", "data.username: expected a string, found absent"},
    {",\"data\":{\"username\":7,\"password\":\"x\"}",
     "data.username: expected a string, found number"},
    {",\"data\":{\"username\":\"ada\"}", "data.password: expected a string, found absent"},
    {",\"data\":{\"username\":\"ada\",\"password\":null}",
     "data.password: expected a string, found null"},
};

START_TEST(a_login_without_name_or_password_is_malformed)
{
    _cleanup_(text_deinitp) struct text frame = {0};

    text_addf(&frame, "{\"type\":\"request\",\"id\":\"l\",\"cls\":\"login\"%s}",
              bad_logins[_i].data);
    world_say(&w, c, text_str(&frame));
    text_clear(&frame);
    text_addf(&frame, "\"data\":{\"code\":4000100,\"msg\":\"Format Error: %s\"}",
              bad_logins[_i].problem);
    assert_heard(text_str(&frame));
    assert_nothing_published();
    log_in();
}
END_TEST

START_TEST(a_second_login_is_refused_while_one_is_under_way_and_afterwards)
{
    _cleanup_(msg_destroyp) struct msg *login = NULL;

    world_say(&w, c, LOGIN);
    login = expect_published("authenticate");
    world_say(&w, c, LOGIN);
    assert_heard("\"code\":4010110,\"msg\":\"Already Authenticated\"");
    world_say(&w, c, RECONNECT);
    assert_heard("\"code\":4010210,\"msg\":\"Already Authenticated\"");
    world_reply(&w, login, TOKEN, NULL);
    world_say(&w, c, LOGIN);
    assert_heard("\"code\":4010110");
    bind_as("connect", LOGGED_IN);
    assert_heard("\"status\":200");
    world_say(&w, c, LOGIN);
    assert_heard("\"code\":4010110");
    world_say(&w, c, RECONNECT);
    assert_heard("\"code\":4010210");
    assert_nothing_published();
}
END_TEST

START_TEST(a_return_is_asked_for_with_the_token_alone_and_takes_the_user_from_the_reply)
{
    _cleanup_(msg_destroyp) struct msg *m = NULL;

    world_say(&w, c, RECONNECT);
    m = expect_published("reconnect");
    ck_assert_ptr_null(m->user);
    ck_assert_str_eq(m->message_id, "r");
    ck_assert_str_eq(m->dialect, "content");
    assert_contains(m->body, "\"token\":\"" T1_HASHED "\"");
    world_reply_bound(&w, m, "{\"type\":\"result\",\"id\":\"r\"}", "u1");
    assert_heard("{\"type\":\"result\",\"id\":\"r\"}");
    assert_silent();
    ck_assert_int_eq(c->state, CLIENT_READY);
    ck_assert_str_eq(c->session.user_id, "u1");
    ck_assert_str_eq(c->session.token, T1_HASHED);
    ck_assert_ptr_null(c->token);
}
END_TEST

START_TEST(what_was_asked_during_a_return_goes_out_in_the_users_name)
{
    _cleanup_(msg_destroyp) struct msg *logout = NULL;

    world_say(&w, c, RECONNECT);
    world_say(&w, c, LOGOUT);
    bind_as("reconnect", "{\"type\":\"result\"}");
    assert_heard("result");
    logout = expect_published("logout");
    ck_assert_str_eq(logout->user, "u1");
    ck_assert_int_eq(c->state, CLIENT_LEAVING);
}
END_TEST

static const char *const bad_sessions[] = {"", ",\"data\":null", ",\"data\":{\"session\":7}",
                                           ",\"data\":{\"session\":\"\"}",
                                           ",\"data\":{\"session\":\"a\\u0000\"}"};

START_TEST(a_return_without_a_session_is_malformed)
{
    _cleanup_(text_deinitp) struct text frame = {0};

    text_addf(&frame, "{\"type\":\"request\",\"id\":\"r\",\"cls\":\"reconnect\"%s}",
              bad_sessions[_i]);
    world_say(&w, c, text_str(&frame));
    assert_heard("\"code\":4000200,\"msg\":\"Format Error: data.session: ");
    assert_nothing_published();
    ck_assert_int_eq(c->state, CLIENT_CONNECTED);
}
END_TEST

START_TEST(after_a_refused_return_a_login_has_a_fresh_client_id)
{
    char first[SECRET_ID_CHARS + 1];

    memcpy(first, c->session.client_id, sizeof(first));
    say_and_reply(RECONNECT, "reconnect", "{\"type\":\"error\",\"data\":{\"code\":4010220}}");
    assert_heard("4010220");
    expect_unbound(first);
    ck_assert_int_eq(c->state, CLIENT_CONNECTED);
    ck_assert_str_ne(c->session.client_id, first);
    ck_assert_ptr_null(c->session.token);
    ck_assert_ptr_eq(clients_find(w.g.clients, c->session.client_id, SECRET_ID_CHARS), c);
    ck_assert_ptr_null(clients_find(w.g.clients, first, SECRET_ID_CHARS));
    log_in();
}
END_TEST

/* The binding that comes after all is undone: its client id is nobody's any more. */
START_TEST(a_login_that_is_not_answered_in_time_is_said_to_be_so_and_undone)
{
    _cleanup_(msg_destroyp) struct msg *bind = NULL;

    say_and_reply(LOGIN, "authenticate", TOKEN);
    bind = expect_published("connect");
    answers_tick(&w.g, clock_mono_ms() + 2000);
    assert_heard("\"id\":\"l\",\"cls\":\"login\",\"status\":503,\"data\":{\"code\":5030100,"
                 "\"msg\":\"No Answer In Time: ");
    expect_unbound(bind->client);
    world_reply_bound(&w, bind, LOGGED_IN, "u1");
    assert_silent();
    expect_unbound(bind->client);
    log_in();
}
END_TEST

START_TEST(a_logout_ends_session_and_token_and_the_socket_may_log_in_again)
{
    char first[SECRET_ID_CHARS + 1];

    log_in();
    memcpy(first, c->session.client_id, sizeof(first));
    say_and_reply(LOGOUT, "logout", "");
    assert_silent();
    world_say(&w, c, LOGOUT);
    assert_heard("4010310");
    say_and_reply(NULL, "disconnectAuth", "{\"result\":true}");
    assert_heard("{\"type\":\"result\",\"id\":\"o\",\"cls\":\"logout\",\"status\":200}");
    assert_silent();
    ck_assert_int_eq(c->close_code, 0);
    ck_assert_str_ne(c->session.client_id, first);
    assert_nothing_published();
    world_say(&w, c, LOGOUT);
    assert_heard("\"id\":\"o\",\"cls\":\"logout\",\"status\":401,\"data\":{\"code\":4010310,"
                 "\"msg\":\"Not Authenticated\"}");
    log_in();
}
END_TEST

START_TEST(a_logout_that_fails_says_so)
{
    log_in();
    say_and_reply(LOGOUT, "logout", "{\"type\":\"error\",\"data\":{\"code\":5000399}}");
    assert_heard("5000399");
    ck_assert_int_eq(c->state, CLIENT_READY); /* nothing has ended */
    say_and_reply(LOGOUT, "logout", "");
    say_and_reply(NULL, "disconnectAuth", "{\"type\":\"error\",\"data\":{\"code\":5000399}}");
    assert_heard("5000399");
    ck_assert_int_eq(c->state, CLIENT_CONNECTED); /* the session has */
}
END_TEST

START_TEST(who_does_not_log_in_again_in_time_is_sent_away)
{
    log_in();
    login_tick(&w.g, clock_mono_ms() + 2000);
    ck_assert_int_eq(c->close_code, 0);
    say_and_reply(LOGOUT, "logout", "");
    say_and_reply(NULL, "disconnectAuth", "{\"result\":true}");
    login_tick(&w.g, clock_mono_ms() + 2000);
    ck_assert_int_eq(c->close_code, 4004);
}
END_TEST

START_TEST(what_needs_a_login_is_refused_before_it)
{
    static const struct {
        const char *type, *cls;
        int code;
    } rows[] = {
        {"request", "logout", 4010310},       {"request", "get_content", 4010410},
        {"request", "get_children", 4010510}, {"request", "patch_content", 4010610},
        {"request", "add_child", 4010710},    {"notify", "subscribe", 4010810},
        {"notify", "revoke", 4010910},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const bool notifies = strcmp(rows[i].type, "notify") == 0;
        char frame[200], expected[200];

        snprintf(frame, sizeof(frame), "{\"type\":\"%s\",%s\"cls\":\"%s\"}", rows[i].type,
                 notifies ? "" : "\"id\":\"x\",", rows[i].cls);
        world_say(&w, c, frame);
        snprintf(expected, sizeof(expected),
                 "{\"type\":\"error\",%s\"cls\":\"%s\",\"status\":401,\"data\":{\"code\":%d,"
                 "\"msg\":\"Not Authenticated\"}}",
                 notifies ? "" : "\"id\":\"x\",", rows[i].cls, rows[i].code);
        assert_heard(expected);
        ck_assert_int_eq(c->state, CLIENT_CONNECTED);
    }
    assert_nothing_published();
}
END_TEST

#define GET "{\"type\":\"request\",\"id\":\"g\",\"cls\":\"get_content\",\"data\":{\"key\":1}}"

START_TEST(other_requests_go_to_the_agents_as_they_came_and_so_do_their_answers)
{
    _cleanup_(msg_destroyp) struct msg *m = NULL;

    log_in();
    world_say(&w, c, " " GET "\n");
    m = expect_published("get_content");
    ck_assert_str_eq(m->body, GET);
    ck_assert_str_eq(m->message_id, "g");
    ck_assert_str_eq(m->dialect, "content");
    ck_assert_str_eq(m->user, "u1");
    ck_assert_uint_eq(m->keep, 0);
    ck_assert(!m->persistent);
    world_reply(&w, m, "{\"any\":\"answer\"}", NULL);
    assert_heard("{\"any\":\"answer\"}");
}
END_TEST

START_TEST(each_of_two_requests_with_one_id_has_its_answer)
{
    _cleanup_(msg_destroyp) struct msg *first = NULL, *second = NULL;

    log_in();
    world_say(&w, c, GET);
    world_say(&w, c, GET);
    first = expect_published("get_content");
    second = expect_published("get_content");
    world_reply(&w, second, "{\"n\":2}", NULL);
    assert_heard("{\"n\":2}");
    world_reply(&w, first, "{\"n\":1}", NULL);
    assert_heard("{\"n\":1}");
    say_and_reply(GET, "get_content", "{\"n\":3}");
    assert_heard("{\"n\":3}");
    assert_silent();
}
END_TEST

START_TEST(one_request_too_many_and_one_without_an_answer_in_time_are_told_so)
{
    log_in();
    for (int i = 0; i < 10; i++) { /* the limit of the test's world */
        world_say(&w, c, GET);
        msg_destroy(expect_published("get_content"));
    }
    assert_silent();
    world_say(&w, c, GET);
    assert_heard("\"id\":\"g\",\"cls\":\"get_content\",\"status\":429,\"data\":{\"code\":4290400,"
                 "\"msg\":\"Too Many Requests: ");
    answers_tick(&w.g, clock_mono_ms() + 2000);
    for (int i = 0; i < 10; i++)
        assert_heard("\"id\":\"g\",\"cls\":\"get_content\",\"status\":503,\"data\":{\"code\":"
                     "5030400,\"msg\":\"No Answer In Time: ");
    assert_silent();
}
END_TEST

START_TEST(what_is_hopeless_is_told_and_then_the_socket_ends)
{
    world_say(&w, c, "{\"type\":\"request\",\"cls\":\"logout\"}");
    ck_assert_int_eq(c->close_code, 1008);
    assert_heard("{\"type\":\"error\",\"status\":400,\"data\":{\"code\":4000000,"
                 "\"msg\":\"Format Error: id: expected a string\"}}");
    assert_silent();
}
END_TEST

START_TEST(what_is_malformed_or_keeps_alive_leaves_the_socket_as_it_was)
{
    world_say(&w, c, "\n");
    world_say(&w, c, "{\"type\":\"request\",\"id\":\"x\",\"cls\":\"dance\"}");
    assert_heard("{\"type\":\"error\",\"id\":\"x\",\"cls\":\"dance\",\"status\":400,"
                 "\"data\":{\"code\":4000000,\"msg\":\"Format Error: cls: unknown\"}}");
    assert_silent();
    log_in();
    world_say(&w, c, "\n");
    assert_silent();
}
END_TEST

/* ---- Blocks of changes ---- */

static void push_block(const char *client, const char *block)
{
    _cleanup_(text_deinitp) struct text push = {0};

    text_addf(&push,
              "{\"v\":1,\"groups\":[{\"to\":[\"%s\"],\"kind\":\"b\",\"of\":[],\"body\":%s}]}",
              client, block);
    pushes_deliver(&w.g, &(struct msg){.body = push.at, .size = push.size});
}

#define BLOCK "{\"type\":\"request\",\"id\":\"5\",\"cls\":\"changed\",\"data\":[]}"

START_TEST(a_block_goes_out_as_it_is_and_owes_no_receipt)
{
    push_block(c->session.client_id, BLOCK);
    assert_silent(); /* not logged in */
    log_in();
    push_block(c->session.client_id, BLOCK);
    assert_heard(BLOCK);
    ck_assert_ptr_null(c->owed.sends);
    w.settings.gateway_max_push_bytes = 10;
    push_block(c->session.client_id, BLOCK);
    push_block(c->session.client_id, BLOCK); /* too slow for this one */
    assert_heard(BLOCK);
    assert_silent();
}
END_TEST

START_TEST(answers_to_blocks_go_to_the_agents_together)
{
    _cleanup_(msg_destroyp) struct msg *m = NULL;
    _cleanup_(text_deinitp) struct text expected = {0};

    world_say(&w, c, "{\"type\":\"result\",\"id\":\"4\",\"cls\":\"changed\",\"status\":200}");
    ck_assert(!receipts_wait(&w.g.receipts)); /* not logged in */
    log_in();
    world_say(&w, c, "{\"type\":\"result\",\"id\":\"5\",\"cls\":\"changed\",\"status\":200}");
    world_say(&w, c, "{\"type\":\"result\",\"id\":\"x\",\"cls\":\"changed\",\"status\":200}");
    world_say(&w, c, "{\"type\":\"error\",\"id\":\"6\",\"cls\":\"changed\",\"status\":500}");
    world_say(&w, c, "{\"type\":\"result\",\"id\":\"7\",\"cls\":\"changed\",\"status\":200}");
    assert_silent();
    receipts_flush(&w.g);
    m = expect_published("changedReceived");
    text_addf(&expected, "{\"v\":1,\"receipts\":[[\"%s\",5],[\"%s\",7]]}", c->session.client_id,
              c->session.client_id);
    assert_text(&expected, m->body);
    ck_assert_ptr_null(m->reply_to);
    ck_assert_int_eq(metrics_get(w.g.metrics, METRIC_RESULTS_IGNORED), 3);
    ck_assert_int_eq(metrics_get(w.g.metrics, METRIC_BLOCK_RECEIPTS), 2);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("content client");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_login_asks_for_a_token_and_then_for_a_binding_and_says_only_the_result);
    tcase_add_test(tc, the_token_takes_the_place_that_the_agents_leave_for_it);
    tcase_add_test(tc, an_answer_that_cannot_be_opened_is_an_error);
    tcase_add_test(tc, a_refused_login_is_an_invalid_credential_and_may_be_tried_again);
    tcase_add_test(tc, a_name_with_a_colon_is_nobodys);
    tcase_add_test(tc, an_error_of_the_agents_is_passed_on);
    tcase_add_loop_test(tc, a_login_without_name_or_password_is_malformed, 0,
                        ARRAY_SIZE(bad_logins));
    tcase_add_test(tc, a_second_login_is_refused_while_one_is_under_way_and_afterwards);
    tcase_add_test(tc,
                   a_return_is_asked_for_with_the_token_alone_and_takes_the_user_from_the_reply);
    tcase_add_test(tc, what_was_asked_during_a_return_goes_out_in_the_users_name);
    tcase_add_loop_test(tc, a_return_without_a_session_is_malformed, 0, ARRAY_SIZE(bad_sessions));
    tcase_add_test(tc, after_a_refused_return_a_login_has_a_fresh_client_id);
    tcase_add_test(tc, a_login_that_is_not_answered_in_time_is_said_to_be_so_and_undone);
    tcase_add_test(tc, a_logout_ends_session_and_token_and_the_socket_may_log_in_again);
    tcase_add_test(tc, a_logout_that_fails_says_so);
    tcase_add_test(tc, who_does_not_log_in_again_in_time_is_sent_away);
    tcase_add_test(tc, what_needs_a_login_is_refused_before_it);
    tcase_add_test(tc, other_requests_go_to_the_agents_as_they_came_and_so_do_their_answers);
    tcase_add_test(tc, each_of_two_requests_with_one_id_has_its_answer);
    tcase_add_test(tc, one_request_too_many_and_one_without_an_answer_in_time_are_told_so);
    tcase_add_test(tc, what_is_hopeless_is_told_and_then_the_socket_ends);
    tcase_add_test(tc, what_is_malformed_or_keeps_alive_leaves_the_socket_as_it_was);
    tcase_add_test(tc, a_block_goes_out_as_it_is_and_owes_no_receipt);
    tcase_add_test(tc, answers_to_blocks_go_to_the_agents_together);
    return unit_run_case("content_client", tc);
}
