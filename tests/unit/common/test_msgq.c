#include <poll.h>
#include <pthread.h>
#include <stdint.h>

#include "common/thread/msgq.h"
#include "common/thread/wake.h"
#include "tests/support/unit.h"

#define QUEUE _cleanup_(msgq_destroyp) struct msgq

static int *new_item(int value)
{
    int *item = malloc(sizeof(*item));

    ck_assert_ptr_nonnull(item);
    *item = value;
    return item;
}

static void push(struct msgq *q, int value)
{
    int *item = new_item(value);

    assert_ok(msgq_push_take(q, &item));
    ck_assert_ptr_null(item); /* the queue has it */
}

static int pop(struct msgq *q)
{
    int *item = msgq_pop(q);
    int value;

    ck_assert_ptr_nonnull(item);
    value = *item;
    free(item);
    return value;
}

START_TEST(items_come_out_in_the_order_in_which_they_went_in)
{
    QUEUE *q = NULL;
    int next_in = 0, next_out = 0;

    assert_ok(msgq_create(10000, free, NULL, NULL, &q));
    for (int round = 1; round < 100; round++) { /* grows, and goes round in its ring */
        for (int i = 0; i < 2 * round; i++)
            push(q, next_in++);
        for (int i = 0; i < round; i++)
            ck_assert_int_eq(pop(q), next_out++);
        ck_assert_uint_eq(msgq_depth(q), (size_t)(next_in - next_out));
    }
    while (next_out < next_in)
        ck_assert_int_eq(pop(q), next_out++);
    ck_assert_ptr_null(msgq_pop(q));
    ck_assert_uint_eq(msgq_depth(q), 0);
}
END_TEST

START_TEST(push_to_a_full_queue_leaves_the_item_with_the_caller)
{
    QUEUE *q = NULL;
    int *second = new_item(2);

    assert_ok(msgq_create(1, free, NULL, NULL, &q));
    push(q, 1);
    assert_err(msgq_push_take(q, &second), ERR_FULL);
    ck_assert_ptr_nonnull(second);
    ck_assert_int_eq(pop(q), 1);
    assert_ok(msgq_push_take(q, &second));
    ck_assert_int_eq(pop(q), 2);
}
END_TEST

START_TEST(what_ends_something_goes_in_over_the_capacity)
{
    QUEUE *q = NULL;

    assert_ok(msgq_create(1, free, NULL, NULL, &q));
    push(q, 0);
    for (int i = 1; i < 1000; i++) {
        int *item = new_item(i);

        assert_ok(msgq_push_over_take(q, &item));
        ck_assert_ptr_null(item);
    }
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(pop(q), i);
}
END_TEST

START_TEST(a_closed_queue_takes_nothing_but_still_gives)
{
    QUEUE *q = NULL;
    int *item = new_item(2);

    assert_ok(msgq_create(5, free, NULL, NULL, &q));
    push(q, 1);
    msgq_close(q);
    msgq_close(q);
    assert_err(msgq_push_take(q, &item), ERR_CLOSED);
    assert_err(msgq_push_over_take(q, &item), ERR_CLOSED);
    ck_assert_ptr_nonnull(item);
    ck_assert_int_eq(pop(q), 1);
    ck_assert_ptr_null(msgq_pop(q));
    free(item);
}
END_TEST

static int destroyed;

static void count_destroyed(void *item)
{
    destroyed++;
    free(item);
}

START_TEST(what_was_never_popped_is_destroyed_with_the_queue)
{
    struct msgq *q = NULL;

    assert_ok(msgq_create(5, count_destroyed, NULL, NULL, &q));
    for (int i = 0; i < 5; i++)
        push(q, i);
    (void)pop(q);
    msgq_destroy(q);
    ck_assert_int_eq(destroyed, 4);
    msgq_destroy(NULL);
}
END_TEST

static void count_wakes(void *arg)
{
    ++*(int *)arg;
}

START_TEST(only_a_push_to_an_empty_queue_wakes)
{
    QUEUE *q = NULL;
    int wakes = 0;

    assert_ok(msgq_create(3, free, count_wakes, &wakes, &q));
    push(q, 1);
    push(q, 2);
    ck_assert_int_eq(wakes, 1);
    (void)pop(q);
    push(q, 3);
    ck_assert_int_eq(wakes, 1);
    (void)pop(q);
    (void)pop(q);
    push(q, 4);
    ck_assert_int_eq(wakes, 2);
}
END_TEST

static struct msgq *woken;

/* Would hang if the queue's lock were held. */
static void pop_in_wake(void *arg)
{
    *(int *)arg = pop(woken);
}

START_TEST(the_wake_function_may_use_the_queue)
{
    QUEUE *q = NULL;
    int popped = 0;

    assert_ok(msgq_create(3, free, pop_in_wake, &popped, &q));
    woken = q;
    push(q, 42);
    ck_assert_int_eq(popped, 42);
}
END_TEST

/* ---- Threads: four push, one pops and sleeps when there is nothing ---- */

#define PUSHERS 4
#define ITEMS   20000

struct pusher {
    struct msgq *q;
    int number;
};

static void *push_all(void *arg)
{
    const struct pusher *p = arg;

    for (int i = 0; i < ITEMS; i++) {
        int *item = malloc(sizeof(*item));

        *item = p->number * ITEMS + i;
        while (msgq_push_take(p->q, &item) == ERR_FULL)
            sched_yield();
    }
    return NULL;
}

static void wake_up(void *arg)
{
    wake_signal(arg);
}

START_TEST(nothing_is_lost_or_overtaken_between_threads)
{
    _cleanup_(wake_destroyp) struct wake *wake = NULL;
    QUEUE *q = NULL;
    struct pusher pushers[PUSHERS];
    pthread_t threads[PUSHERS];
    int next[PUSHERS] = {0}, received = 0;

    assert_ok(wake_create(&wake));
    assert_ok(msgq_create(100, free, wake_up, wake, &q));
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){q, i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, push_all, &pushers[i]), 0);
    }

    while (received < PUSHERS * ITEMS) {
        struct pollfd fd = {.fd = wake_fd(wake), .events = POLLIN};
        int *item;

        ck_assert_msg(poll(&fd, 1, 30000) == 1, "no wake-up for what is in the queue");
        wake_drain(wake);
        while ((item = msgq_pop(q))) {
            const int pusher = *item / ITEMS;

            if (*item % ITEMS != next[pusher]++)
                ck_abort_msg("%d out of order", *item);
            received++;
            free(item);
        }
    }
    for (int i = 0; i < PUSHERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_ptr_null(msgq_pop(q));
}
END_TEST

UNIT_SUITE("msgq", items_come_out_in_the_order_in_which_they_went_in,
           push_to_a_full_queue_leaves_the_item_with_the_caller,
           what_ends_something_goes_in_over_the_capacity,
           a_closed_queue_takes_nothing_but_still_gives,
           what_was_never_popped_is_destroyed_with_the_queue, only_a_push_to_an_empty_queue_wakes,
           the_wake_function_may_use_the_queue, nothing_is_lost_or_overtaken_between_threads)
