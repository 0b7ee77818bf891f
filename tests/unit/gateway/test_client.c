#include <string.h>

#include "common/base/secret.h"
#include "gateway/clients/client.h"
#include "gateway/conversation/dialect.h"
#include "tests/support/unit.h"

#define CLIENT _cleanup_(client_destroyp) struct client

static const struct client_limits limits = {
    .send_bytes = 100, .pause_bytes = 40, .requests = {.per_s = 2, .burst = 3}};

/* What the client asked of its socket. */
struct socket {
    int writes_wanted;
    bool paused, closing;
};

static void want_write(void *socket)
{
    ((struct socket *)socket)->writes_wanted++;
}

static void pause_reading(void *socket, bool pause)
{
    ((struct socket *)socket)->paused = pause;
}

static void start_closing(void *socket, int patience_s)
{
    ((struct socket *)socket)->closing = patience_s > 0;
}

static const struct client_wire wire = {want_write, pause_reading, start_closing};

static struct client *create(struct socket *socket)
{
    struct client *c;

    assert_ok(secret_init());
    assert_ok(client_create(&dialect_activestack, &wire, &limits, socket, &c));
    return c;
}

static void send_bytes(struct client *c, size_t size)
{
    static const char bytes[1000];

    client_send(c, bytes, size);
}

static void expect_frame(struct client *c, const char *text)
{
    struct client_frame *f = client_next_frame(c);

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->size, strlen(text));
    ck_assert_mem_eq(f->bytes, text, f->size);
    client_frame_written(c);
}

START_TEST(frames_leave_in_their_order_put_together_from_pieces)
{
    const struct client_piece pieces[] = {{"ab", 2}, {"", 0}, {"c", 1}};
    struct socket socket = {0};
    CLIENT *c = create(&socket);

    client_send_pieces(c, pieces, ARRAY_SIZE(pieces));
    client_send(c, "d", 1);
    ck_assert_int_eq(socket.writes_wanted, 2);
    expect_frame(c, "abc");
    expect_frame(c, "d");
    ck_assert_ptr_null(client_next_frame(c));
    ck_assert_uint_eq(c->queued_bytes, 0);
}
END_TEST

START_TEST(nothing_is_read_from_a_client_that_does_not_read)
{
    struct socket socket = {0};
    CLIENT *c = create(&socket);

    send_bytes(c, 40);
    ck_assert(!socket.paused);
    send_bytes(c, 1);
    ck_assert(socket.paused);
    client_frame_written(c);
    ck_assert(!socket.paused);
}
END_TEST

START_TEST(a_client_that_reads_too_slowly_is_closed_and_its_queue_dropped)
{
    struct socket socket = {0};
    CLIENT *c = create(&socket);

    send_bytes(c, 60);
    send_bytes(c, 40);
    ck_assert_int_eq(c->close_code, 0);
    send_bytes(c, 1);
    ck_assert_int_eq(c->close_code, 4003);
    ck_assert_int_eq(c->state, CLIENT_CLOSING);
    ck_assert_ptr_null(client_next_frame(c));
    ck_assert(socket.closing);
    ck_assert(!socket.paused);
}
END_TEST

START_TEST(a_single_frame_may_be_larger_than_the_queue)
{
    struct socket socket = {0};
    CLIENT *c = create(&socket);

    send_bytes(c, 1000);
    ck_assert_int_eq(c->close_code, 0);
    ck_assert_uint_eq(client_next_frame(c)->size, 1000);
}
END_TEST

START_TEST(what_was_said_before_a_close_still_leaves_and_nothing_after_it)
{
    struct socket socket = {0};
    CLIENT *c = create(&socket);

    client_send(c, "last", 4);
    client_close(c, 1000, "logged out");
    client_send(c, "late", 4);
    client_close(c, 4001, "too late");
    ck_assert_int_eq(c->close_code, 1000);
    ck_assert_str_eq(c->close_reason, "logged out");
    expect_frame(c, "last");
    ck_assert_ptr_null(client_next_frame(c));
}
END_TEST

START_TEST(a_client_goes_through_its_states)
{
    static const enum client_state path[] = {
        CLIENT_CONNECTED, CLIENT_BINDING, CLIENT_CONNECTED, CLIENT_BINDING,   CLIENT_READY,
        CLIENT_LEAVING,   CLIENT_READY,   CLIENT_LEAVING,   CLIENT_CONNECTED, CLIENT_CLOSING};
    struct socket socket = {0};
    CLIENT *c = create(&socket);

    ck_assert_int_eq(c->state, CLIENT_NEW);
    for (size_t i = 0; i < ARRAY_SIZE(path); i++)
        client_set_state(c, path[i]);
}
END_TEST

START_TEST(a_client_may_ask_so_often)
{
    struct socket socket = {0};
    struct client *c = create(&socket), *other = create(&socket);

    for (int i = 0; i < 3; i++)
        ck_assert(client_may_ask(c, 1000));
    ck_assert(!client_may_ask(c, 1000));
    ck_assert(!client_may_ask(c, 1499));
    ck_assert(client_may_ask(c, 1500));
    ck_assert(client_may_ask(other, 1000));
    client_destroy(c);
    client_destroy(other);
}
END_TEST

UNIT_SUITE("client", frames_leave_in_their_order_put_together_from_pieces,
           nothing_is_read_from_a_client_that_does_not_read,
           a_client_that_reads_too_slowly_is_closed_and_its_queue_dropped,
           a_single_frame_may_be_larger_than_the_queue,
           what_was_said_before_a_close_still_leaves_and_nothing_after_it,
           a_client_goes_through_its_states, a_client_may_ask_so_often)
