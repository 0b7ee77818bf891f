#include "gateway/broker/kept.h"
#include "tests/support/unit.h"

#define KEPT _cleanup_(kept_destroyp) struct kept

static struct kept *create(void)
{
    struct kept *k;

    assert_ok(kept_create(&k));
    return k;
}

static void add(struct kept *k, uint64_t number)
{
    struct order *o = order_create(ORDER_PUBLISH);

    o->number = number;
    kept_add_take(k, &o);
    ck_assert_ptr_null(o);
}

/* Sends the next waiting message, which has to be that of request `number`. */
static void send(struct kept *k, uint64_t number, uint64_t publish)
{
    struct kept_message *m = kept_next_waiting(k);

    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(m->order->number, number);
    kept_mark_sent(k, m, publish);
}

static void confirm(struct kept *k, uint64_t publish)
{
    struct kept_message *m = kept_by_publish(k, publish);

    ck_assert_ptr_nonnull(m);
    kept_mark_safe(k, m);
}

START_TEST(messages_are_sent_in_their_order)
{
    KEPT *k = create();

    add(k, 1);
    add(k, 2);
    send(k, 1, 1);
    add(k, 3);
    send(k, 2, 2);
    send(k, 3, 3);
    ck_assert_ptr_null(kept_next_waiting(k));
    ck_assert_uint_eq(kept_unconfirmed_count(k), 3);
}
END_TEST

START_TEST(a_message_goes_when_it_is_safe_and_forgotten)
{
    KEPT *k = create();

    add(k, 1);
    add(k, 2);
    send(k, 1, 1);
    send(k, 2, 2);
    kept_forget(k, 1); /* before its confirm: it may still have to be sent again */
    ck_assert_ptr_nonnull(kept_first(k));
    confirm(k, 1);
    confirm(k, 2); /* before it is forgotten: a reply is still awaited */
    ck_assert_uint_eq(kept_first(k)->order->number, 2);
    kept_forget(k, 2);
    ck_assert_ptr_null(kept_first(k));
}
END_TEST

START_TEST(what_nobody_awaits_an_answer_to_goes_with_its_confirm)
{
    KEPT *k = create();

    add(k, 0);
    send(k, 0, 1);
    confirm(k, 1);
    ck_assert_ptr_null(kept_first(k));
}
END_TEST

START_TEST(after_a_lost_link_only_what_was_not_confirmed_waits)
{
    KEPT *k = create();

    for (uint64_t i = 1; i <= 3; i++) {
        add(k, i);
        send(k, i, i);
    }
    confirm(k, 2);
    kept_link_lost(k);
    ck_assert_ptr_null(kept_by_publish(k, 1));
    send(k, 1, 1);
    send(k, 3, 2);
    ck_assert_ptr_null(kept_next_waiting(k));
}
END_TEST

START_TEST(after_lost_replies_what_was_confirmed_waits_too)
{
    KEPT *k = create();

    for (uint64_t i = 1; i <= 2; i++) {
        add(k, i);
        send(k, i, i);
        confirm(k, i);
    }
    kept_replies_lost(k);
    add(k, 3);
    send(k, 1, 3);
    send(k, 2, 4);
    send(k, 3, 5);
}
END_TEST

START_TEST(a_dropped_message_does_not_stop_those_behind_it)
{
    KEPT *k = create();

    add(k, 1);
    add(k, 2);
    kept_drop(k, kept_next_waiting(k));
    send(k, 2, 1);
    ck_assert_uint_eq(kept_unconfirmed_count(k), 1);
    ck_assert_uint_eq(kept_waiting_count(k), 0);
}
END_TEST

START_TEST(too_many_awaited_outcomes_stop_the_sending)
{
    KEPT *k = create();
    uint64_t sent = 0;

    do {
        add(k, sent + 1);
        send(k, sent + 1, sent + 1);
        sent++;
    } while (kept_may_send(k));
    ck_assert_uint_ge(sent, 1000);
    confirm(k, 1);
    ck_assert(kept_may_send(k));
}
END_TEST

UNIT_SUITE("kept", messages_are_sent_in_their_order, a_message_goes_when_it_is_safe_and_forgotten,
           what_nobody_awaits_an_answer_to_goes_with_its_confirm,
           after_a_lost_link_only_what_was_not_confirmed_waits,
           after_lost_replies_what_was_confirmed_waits_too,
           a_dropped_message_does_not_stop_those_behind_it,
           too_many_awaited_outcomes_stop_the_sending)
