#include <stdio.h>

#include "common/base/secret.h"
#include "gateway/clients/owed.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text
#define OWED _cleanup_(owed_deinit) struct owed

/* Of an item (it begins with "~") or of an object. */
static struct owed_thing thing_of(enum sends_kind kind, const char *name, int64_t number)
{
    struct owed_thing thing = owed_object(kind, name, strlen(name));
    struct text item = {0};

    if (name[0] == '~') {
        text_add(&item, name);
        ck_assert(owed_value(&item, &thing));
    }
    thing.number = number;
    return thing;
}

static void add(struct owed *o, enum sends_kind kind, const char *name, int64_t number)
{
    struct owed_thing thing = thing_of(kind, name, number);

    owed_add(o, &thing);
    text_deinit(&thing.item);
}

static void sent(struct owed *o, const char *name, int64_t number)
{
    add(o, SENDS_UPDATE, name, number);
}

/* A receipt for updates of the object proves this. */
static void expect(struct owed *o, const char *object, const char *name, int64_t number)
{
    TEXT found = {0};
    int64_t proved;

    text_add(&found, object);
    ck_assert(owed_take(o, SENDS_UPDATE, &found, &proved));
    ck_assert_str_eq(found.at, name);
    ck_assert_int_eq(proved, number);
}

static void expect_nothing(struct owed *o, enum sends_kind kind, const char *object)
{
    TEXT found = {0};
    int64_t proved;

    text_add(&found, object);
    ck_assert(!owed_take(o, kind, &found, &proved));
}

static void expect_empty(const struct owed *o)
{
    ck_assert_ptr_null(o->sends);
    ck_assert_ptr_null(o->lines);
}

START_TEST(a_value_is_acknowledged_by_the_name_of_its_object)
{
    OWED o = {0};

    sent(&o, "~C:1\tsize\t[]", 7);
    expect_nothing(&o, SENDS_UPDATE, "C:2");
    expect_nothing(&o, SENDS_DELETE, "C:1");
    expect(&o, "C:1", "~C:1\tsize\t[]", 7);
    expect_nothing(&o, SENDS_UPDATE, "C:1");
    expect_empty(&o);
}
END_TEST

START_TEST(receipts_stand_for_updates_and_values_in_the_order_of_the_sends)
{
    OWED o = {0};

    sent(&o, "C:1", 1);
    sent(&o, "C:1", 2);
    sent(&o, "~C:1\tsize\t[]", 3);
    sent(&o, "~C:1\tname\t[]", 4);
    sent(&o, "C:1", 5);
    sent(&o, "~C:1\tsize\t[]", 6);
    expect(&o, "C:1", "C:1", 1);
    expect(&o, "C:1", "C:1", 1); /* sends.h: those before the last number count as the lowest */
    expect(&o, "C:1", "~C:1\tsize\t[]", 3);
    expect(&o, "C:1", "~C:1\tname\t[]", 4);
    expect(&o, "C:1", "C:1", 5);
    expect(&o, "C:1", "~C:1\tsize\t[]", 6);
    expect_empty(&o);
}
END_TEST

START_TEST(when_no_value_is_left_the_sends_alone_know_all)
{
    OWED o = {0};

    sent(&o, "~C:1\tsize\t[]", 1);
    sent(&o, "C:1", 2);
    expect(&o, "C:1", "~C:1\tsize\t[]", 1);
    ck_assert_ptr_null(o.lines);
    sent(&o, "C:1", 3);
    expect(&o, "C:1", "C:1", 2);
    expect(&o, "C:1", "C:1", 3);
    expect_empty(&o);
}
END_TEST

START_TEST(deletes_have_receipts_of_their_own)
{
    OWED o = {0};

    sent(&o, "~C:1\tsize\t[]", 1);
    add(&o, SENDS_DELETE, "C:1", 2);
    expect(&o, "C:1", "~C:1\tsize\t[]", 1);
    expect_nothing(&o, SENDS_UPDATE, "C:1");
    ck_assert_uint_eq(sends_count(o.sends), 1);
}
END_TEST

START_TEST(what_is_no_item_is_no_value)
{
    static const char *const wrong[] = {"", "~", "~C:1", "C:1\tsize\t[]"};

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct owed_thing thing;
        TEXT item = {0};

        text_add(&item, wrong[i]);
        ck_assert_msg(!owed_value(&item, &thing), "%s", wrong[i]);
        ck_assert_str_eq(text_str(&item), wrong[i]);
    }
}
END_TEST

START_TEST(each_value_counts_as_a_thing)
{
    struct owed_thing things[] = {
        thing_of(SENDS_UPDATE, "C:1", 1),
        thing_of(SENDS_UPDATE, "~C:1\tsize\t[]", 1),
        thing_of(SENDS_UPDATE, "~C:1\tname\t[]", 1),
    };
    OWED o = {0};

    ck_assert_uint_eq(owed_count_with(&o, things, 3), 3);
    owed_add(&o, &things[1]);
    ck_assert_uint_eq(owed_count_with(&o, things, 0), 1);
    ck_assert_uint_eq(owed_count_with(&o, things, 3), 3);
    for (size_t i = 0; i < ARRAY_SIZE(things); i++)
        text_deinit(&things[i].item);
}
END_TEST

/* By turns an update and a value, `turns` in all, under the numbers 1, 2, ... */
static void send_by_turns(struct owed *o, int64_t turns)
{
    for (int64_t number = 1; number <= turns; number++)
        sent(o, number % 2 ? "C:1" : "~C:1\tsize\t[]", number);
}

START_TEST(as_many_turns_as_agreed_are_remembered)
{
    OWED o = {0};

    send_by_turns(&o, OWED_RUNS);
    expect(&o, "C:1", "C:1", 1);
    expect(&o, "C:1", "~C:1\tsize\t[]", 2);
    expect(&o, "C:1", "C:1", 1);
    expect(&o, "C:1", "~C:1\tsize\t[]", 2);
}
END_TEST

START_TEST(what_is_older_proves_nothing_and_the_last_all)
{
    OWED o = {0};

    send_by_turns(&o, OWED_RUNS + 4);
    for (int i = 0; i < 5; i++)
        expect_nothing(&o, SENDS_UPDATE, "C:1");
    for (int i = 5; i < OWED_RUNS + 2; i++) {
        TEXT name = {0};
        int64_t proved;

        text_add(&name, "C:1");
        ck_assert(owed_take(&o, SENDS_UPDATE, &name, &proved));
        ck_assert_str_eq(name.at, i % 2 ? "~C:1\tsize\t[]" : "C:1");
        ck_assert_int_le(proved, i + 1);
    }
    expect(&o, "C:1", "C:1", OWED_RUNS + 3);
    expect(&o, "C:1", "~C:1\tsize\t[]", OWED_RUNS + 4);
    expect_empty(&o);
}
END_TEST

START_TEST(who_sends_no_receipts_costs_no_more_with_time)
{
    OWED o = {0};

    send_by_turns(&o, 100000);
    ck_assert_uint_eq(sends_unanswered(o.sends, sends_key(SENDS_UPDATE, "C:1", 3)),
                      OWED_RUNS / 2 - 1);
    ck_assert_uint_eq(sends_count(o.sends), 2);
}
END_TEST

/* ---- Against a model that remembers every send ---- */

#define OBJECTS 5
#define NAMES   4 /* of an object: its updates (0) and its values */
#define MODEL   1024
#define ROUNDS  400

struct model {
    struct {
        unsigned object, name; /* name NAMES: a delete */
        int64_t number;
        bool settled;
    } sends[MODEL];
    size_t count;
};

static void write_name(char *out, size_t room, unsigned object, unsigned name)
{
    if (name % NAMES == 0)
        snprintf(out, room, "C:%u", object);
    else
        snprintf(out, room, "~C:%u\tf%u\t[]", object, name);
}

static void send_one(struct model *m, struct owed *o)
{
    const unsigned object = (unsigned)rand() % OBJECTS, name = (unsigned)rand() % (NAMES + 1);
    const int64_t number = 1 + rand() % 8;
    char text[32];

    write_name(text, sizeof(text), object, name);
    m->sends[m->count].object = object;
    m->sends[m->count].name = name;
    m->sends[m->count].number = number;
    m->sends[m->count++].settled = false;
    add(o, name == NAMES ? SENDS_DELETE : SENDS_UPDATE, text, number);
}

/* The oldest send without a receipt that one for this may stand for. */
static size_t oldest(const struct model *m, bool deleted, unsigned object)
{
    size_t i = 0;

    while (i < m->count && (m->sends[i].settled || m->sends[i].object != object ||
                            (m->sends[i].name == NAMES) != deleted))
        i++;
    return i;
}

/* Nothing newer than what any send of the same thing from this one on has told. */
static int64_t most(const struct model *m, size_t at)
{
    int64_t lowest = m->sends[at].number;

    for (size_t i = at; i < m->count; i++)
        if (m->sends[i].object == m->sends[at].object &&
            m->sends[i].name % NAMES == m->sends[at].name % NAMES && m->sends[i].number < lowest)
            lowest = m->sends[i].number;
    return lowest;
}

/* Turns from one thing to another that have been sent behind this one. */
static int turns_behind(const struct model *m, size_t at)
{
    unsigned name = m->sends[at].name;
    int turns = 0;

    for (size_t i = at; i < m->count; i++) {
        if (m->sends[i].object != m->sends[at].object || m->sends[i].name == NAMES)
            continue;
        turns += m->sends[i].name != name;
        name = m->sends[i].name;
    }
    return turns;
}

static void settle_one(struct model *m, struct owed *o, bool deleted, unsigned object)
{
    const size_t at = oldest(m, deleted, object);
    char expected[32];
    TEXT name = {0};
    int64_t proved;
    bool proves;

    text_addf(&name, "C:%u", object);
    proves = owed_take(o, deleted ? SENDS_DELETE : SENDS_UPDATE, &name, &proved);
    if (at == m->count) {
        ck_assert(!proves);
        return;
    }
    m->sends[at].settled = true;
    if (!proves) {
        ck_assert(!deleted);
        ck_assert_int_ge(turns_behind(m, at), OWED_RUNS - 1);
        return;
    }
    write_name(expected, sizeof(expected), object, m->sends[at].name);
    ck_assert_str_eq(name.at, expected);
    ck_assert_int_le(proved, most(m, at));
    ck_assert_int_ge(proved, 1);
    if (at + 1 == m->count)
        ck_assert_int_eq(proved, m->sends[at].number);
}

static void play(unsigned seed)
{
    static struct model m;
    OWED o = {0};
    int sends_of_ten;

    m.count = 0;
    srand(seed);
    sends_of_ten = 3 + rand() % 7;
    for (int i = 0; i < ROUNDS; i++)
        if (rand() % 10 < sends_of_ten)
            send_one(&m, &o);
        else
            settle_one(&m, &o, rand() % 4 == 0, (unsigned)rand() % OBJECTS);
    for (unsigned object = 0; object < OBJECTS; object++)
        for (unsigned deleted = 0; deleted < 2; deleted++)
            while (oldest(&m, deleted, object) < m.count)
                settle_one(&m, &o, deleted, object);
    expect_empty(&o);
}

START_TEST(a_receipt_stands_for_the_oldest_and_never_proves_too_much)
{
    for (unsigned seed = 1; seed <= 300; seed++)
        play(seed);
}
END_TEST

static void set_up(void)
{
    assert_ok(secret_init());
}

int main(void)
{
    TCase *tests = tcase_create("owed");

    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_value_is_acknowledged_by_the_name_of_its_object);
    tcase_add_test(tests, receipts_stand_for_updates_and_values_in_the_order_of_the_sends);
    tcase_add_test(tests, when_no_value_is_left_the_sends_alone_know_all);
    tcase_add_test(tests, deletes_have_receipts_of_their_own);
    tcase_add_test(tests, what_is_no_item_is_no_value);
    tcase_add_test(tests, each_value_counts_as_a_thing);
    tcase_add_test(tests, as_many_turns_as_agreed_are_remembered);
    tcase_add_test(tests, what_is_older_proves_nothing_and_the_last_all);
    tcase_add_test(tests, who_sends_no_receipts_costs_no_more_with_time);
    tcase_add_test(tests, a_receipt_stands_for_the_oldest_and_never_proves_too_much);
    return unit_run_case("owed", tests);
}
