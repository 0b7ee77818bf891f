#include "common/base/secret.h"
#include "gateway/door/holders.h"
#include "tests/support/unit.h"

#define MANY    5000
#define IDLE_MS 1000

static struct address numbered(unsigned number)
{
    struct address a = {{0x20, 1}};

    a.bytes[2] = (unsigned char)(number >> 8);
    a.bytes[3] = (unsigned char)number;
    return a;
}

static struct holders *make(size_t most)
{
    struct holders *t;

    assert_ok(secret_init());
    assert_ok(holders_create(most, &t));
    return t;
}

START_TEST(an_address_always_leads_to_its_holder)
{
    struct holders *t = make(16); /* few: several share a place */

    for (unsigned i = 0; i < MANY; i++) {
        const struct address a = numbered(i);

        holders_find(t, &a, 1)->clients = i + 1;
    }
    for (unsigned i = 0; i < MANY; i++) {
        const struct address a = numbered(i);

        ck_assert_uint_eq(holders_find(t, &a, 1)->clients, i + 1);
    }
    ck_assert_uint_eq(holders_count(t), MANY);
    holders_destroy(t);
}
END_TEST

START_TEST(who_has_nothing_open_is_forgotten_in_time)
{
    struct holders *t = make(1);

    for (unsigned i = 0; i < 10; i++) {
        const struct address a = numbered(i);

        (void)holders_find(t, &a, 100 + i);
    }
    holders_forget(t, IDLE_MS, 100 + IDLE_MS - 1);
    ck_assert_uint_eq(holders_count(t), 10);
    holders_forget(t, IDLE_MS, 104 + IDLE_MS);
    ck_assert_uint_eq(holders_count(t), 5);
    holders_forget(t, IDLE_MS, 109 + IDLE_MS);
    ck_assert_uint_eq(holders_count(t), 0);
    holders_destroy(t);
}
END_TEST

START_TEST(who_has_something_open_stays)
{
    const struct address a = numbered(1), b = numbered(2);
    struct holders *t = make(8);
    struct holder *open = holders_find(t, &a, 1);

    (void)holders_find(t, &b, 1);
    open->sockets = 1;
    holders_changed(t, open, 1);
    holders_forget(t, IDLE_MS, 1000000);
    ck_assert_uint_eq(holders_count(t), 1);
    open->sockets = 0;
    holders_changed(t, open, 1000000);
    holders_forget(t, IDLE_MS, 1000000 + IDLE_MS - 1);
    ck_assert_uint_eq(holders_count(t), 1);
    holders_forget(t, IDLE_MS, 1000000 + IDLE_MS);
    ck_assert_uint_eq(holders_count(t), 0);
    holders_destroy(t);
}
END_TEST

START_TEST(who_is_asked_for_again_stays_longer)
{
    const struct address a = numbered(1);
    struct holders *t = make(8);

    (void)holders_find(t, &a, 1);
    (void)holders_find(t, &a, 900);
    holders_forget(t, IDLE_MS, 1 + IDLE_MS);
    ck_assert_uint_eq(holders_count(t), 1);
    holders_forget(t, IDLE_MS, 900 + IDLE_MS);
    ck_assert_uint_eq(holders_count(t), 0);
    holders_destroy(t);
}
END_TEST

UNIT_SUITE("gateway_holders", an_address_always_leads_to_its_holder,
           who_has_nothing_open_is_forgotten_in_time, who_has_something_open_stays,
           who_is_asked_for_again_stays_longer)
