#include <stdio.h>

#include "common/base/secret.h"
#include "gateway/clients/sends.h"
#include "tests/support/unit.h"

static uint64_t update_of(const char *ref)
{
    return sends_key(SENDS_UPDATE, ref, strlen(ref));
}

static uint64_t delete_of(const char *ref)
{
    return sends_key(SENDS_DELETE, ref, strlen(ref));
}

static void expect(struct sends **s, uint64_t key, int64_t number)
{
    int64_t proved;

    ck_assert(sends_take(s, key, &proved));
    ck_assert_int_eq(proved, number);
}

static void expect_none(struct sends **s, uint64_t key)
{
    int64_t proved;

    ck_assert(!sends_take(s, key, &proved));
}

START_TEST(what_was_never_sent_cannot_be_settled)
{
    struct sends *s = NULL;

    assert_ok(secret_init());
    expect_none(&s, update_of("a"));
    sends_add(&s, update_of("a"), 1);
    expect_none(&s, update_of("b"));
    expect_none(&s, delete_of("a"));
    expect(&s, update_of("a"), 1);
    expect_none(&s, update_of("a"));
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(receipts_settle_the_oldest_send_first)
{
    struct sends *s = NULL;

    assert_ok(secret_init());
    sends_add(&s, update_of("a"), 1);
    sends_add(&s, update_of("a"), 2);
    sends_add(&s, update_of("a"), 2);
    expect(&s, update_of("a"), 1);
    expect(&s, update_of("a"), 2);
    expect(&s, update_of("a"), 2);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(numbers_before_the_last_one_count_as_the_lowest_of_them)
{
    struct sends *s = NULL;

    assert_ok(secret_init());
    for (int64_t number = 3; number <= 5; number++)
        sends_add(&s, update_of("a"), number);
    expect(&s, update_of("a"), 3);
    expect(&s, update_of("a"), 3);
    expect(&s, update_of("a"), 5);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(a_lower_number_that_comes_last_is_what_is_proved)
{
    struct sends *s = NULL;

    assert_ok(secret_init());
    sends_add(&s, update_of("a"), 5);
    sends_add(&s, update_of("a"), 3);
    expect(&s, update_of("a"), 3);
    sends_add(&s, update_of("a"), 5);
    expect(&s, update_of("a"), 3);
    expect(&s, update_of("a"), 5);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(a_late_update_takes_back_what_a_receipt_for_the_delete_would_prove)
{
    struct sends *s = NULL;

    assert_ok(secret_init());
    sends_add(&s, delete_of("a"), 6);
    sends_add(&s, update_of("a"), 5);
    sends_add(&s, delete_of("a"), 6);
    expect(&s, delete_of("a"), 5);
    expect(&s, delete_of("a"), 6);
    expect(&s, update_of("a"), 5);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(the_count_is_that_of_objects_and_kinds)
{
    struct sends *s = NULL;

    assert_ok(secret_init());
    ck_assert_uint_eq(sends_count(s), 0);
    sends_add(&s, update_of("a"), 1);
    sends_add(&s, update_of("a"), 2);
    ck_assert_uint_eq(sends_count(s), 1);
    sends_add(&s, delete_of("a"), 2);
    ck_assert_uint_eq(sends_count(s), 2);
    sends_destroy(s);
}
END_TEST

START_TEST(what_is_unanswered_is_counted)
{
    struct sends *s = NULL;

    assert_ok(secret_init());
    ck_assert_uint_eq(sends_unanswered(s, update_of("a")), 0);
    for (int64_t number = 1; number <= 3; number++)
        sends_add(&s, update_of("a"), number);
    ck_assert_uint_eq(sends_unanswered(s, update_of("a")), 3);
    ck_assert_uint_eq(sends_unanswered(s, delete_of("a")), 0);
    expect(&s, update_of("a"), 1);
    ck_assert_uint_eq(sends_unanswered(s, update_of("a")), 2);
    sends_destroy(s);
}
END_TEST

/* ---- Against a model that remembers every send ---- */

#define REFS   40
#define MODEL  4096 /* sends that the model remembers */
#define ROUNDS 300

struct model {
    struct {
        enum sends_kind kind;
        unsigned ref;
        int64_t number;
        bool settled;
    } sends[MODEL];
    size_t count;
};

static uint64_t key_of(enum sends_kind kind, unsigned ref)
{
    char name[16];

    return sends_key(kind, name, (size_t)snprintf(name, sizeof(name), "r:%u", ref));
}

static void send_one(struct model *m, struct sends **s, enum sends_kind kind, unsigned ref)
{
    const int64_t number = 1 + rand() % 8; /* often lower than the last one */

    m->sends[m->count].kind = kind;
    m->sends[m->count].ref = ref;
    m->sends[m->count].number = number;
    m->sends[m->count++].settled = false;
    sends_add(s, key_of(kind, ref), number);
}

/* The oldest send without a receipt; m->count when there is none. */
static size_t oldest(const struct model *m, enum sends_kind kind, unsigned ref)
{
    size_t i = 0;

    while (i < m->count &&
           (m->sends[i].settled || m->sends[i].kind != kind || m->sends[i].ref != ref))
        i++;
    return i;
}

/* A receipt proves nothing newer than what any send from the settled one on has told, and what
 * the last one has told if the others have told the same. */
static void settle_one(struct model *m, struct sends **s, enum sends_kind kind, unsigned ref)
{
    const size_t at = oldest(m, kind, ref);
    int64_t proved, lowest = INT64_MAX;
    bool alike = true;

    ck_assert_int_eq(sends_take(s, key_of(kind, ref), &proved), at < m->count);
    if (at == m->count)
        return;
    m->sends[at].settled = true;
    for (size_t i = at; i < m->count; i++) {
        if (m->sends[i].ref != ref)
            continue;
        alike = alike && m->sends[i].number == m->sends[at].number && m->sends[i].kind == kind;
        if (m->sends[i].number < lowest)
            lowest = m->sends[i].number;
    }
    ck_assert_int_le(proved, lowest);
    ck_assert_int_ge(proved, 1);
    if (alike)
        ck_assert_int_eq(proved, lowest);
}

static size_t unsettled(const struct model *m)
{
    size_t count = 0;

    for (unsigned ref = 0; ref < REFS; ref++)
        for (unsigned kind = SENDS_UPDATE; kind <= SENDS_DELETE; kind++)
            count += oldest(m, (enum sends_kind)kind, ref) < m->count;
    return count;
}

static void play(unsigned seed)
{
    static struct model m;
    struct sends *s = NULL;
    int sends_of_ten;

    m.count = 0;
    srand(seed);
    sends_of_ten = 3 + rand() % 6;
    for (int i = 0; i < ROUNDS; i++) {
        const enum sends_kind kind = rand() % 3 == 0 ? SENDS_DELETE : SENDS_UPDATE;
        const unsigned ref = (unsigned)rand() % REFS;

        if (rand() % 10 < sends_of_ten)
            send_one(&m, &s, kind, ref);
        else
            settle_one(&m, &s, kind, ref);
        ck_assert_uint_eq(sends_count(s), unsettled(&m));
    }
    while (s) {
        const unsigned ref = (unsigned)rand() % REFS;

        settle_one(&m, &s, SENDS_UPDATE, ref);
        settle_one(&m, &s, SENDS_DELETE, ref);
    }
    ck_assert_uint_eq(unsettled(&m), 0);
}

START_TEST(a_receipt_never_proves_too_much_and_the_last_one_all)
{
    assert_ok(secret_init());
    for (unsigned seed = 1; seed <= 300; seed++)
        play(seed);
}
END_TEST

START_TEST(many_objects_grow_the_table_and_it_shrinks_again)
{
    struct sends *s = NULL;

    assert_ok(secret_init());
    for (unsigned i = 0; i < 20000; i++)
        sends_add(&s, key_of(SENDS_UPDATE, i), i);
    ck_assert_uint_eq(sends_count(s), 20000);
    for (unsigned i = 0; i < 20000; i++)
        expect(&s, key_of(SENDS_UPDATE, i), i);
    ck_assert_ptr_null(s);
}
END_TEST

UNIT_SUITE("sends", what_was_never_sent_cannot_be_settled, receipts_settle_the_oldest_send_first,
           numbers_before_the_last_one_count_as_the_lowest_of_them,
           a_lower_number_that_comes_last_is_what_is_proved,
           a_late_update_takes_back_what_a_receipt_for_the_delete_would_prove,
           the_count_is_that_of_objects_and_kinds, what_is_unanswered_is_counted,
           a_receipt_never_proves_too_much_and_the_last_one_all,
           many_objects_grow_the_table_and_it_shrinks_again)
