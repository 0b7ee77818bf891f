#include "common/protocol/operations.h"
#include "gateway/clients/open_requests.h"
#include "tests/support/unit.h"

#define TABLE  _cleanup_(open_requests_destroyp) struct open_requests
#define SECOND INT64_C(1000000) /* in microseconds */

static const struct open_limits limits = {.count = 3, .bytes = 100, .timeout_ms = {2000, 60000}};

static struct open_requests *create(void)
{
    struct open_requests *t;

    assert_ok(open_requests_create(&limits, &t));
    return t;
}

static struct open_request *add(struct open_requests *t, struct open_account *a, const char *id,
                                int64_t now_us)
{
    struct open_request *r;

    assert_ok(open_requests_add(t, a, &(struct open_request){.bytes = 10}, id, now_us, &r));
    return r;
}

static enum err try_add(struct open_requests *t, struct open_account *a, enum purpose purpose,
                        size_t bytes)
{
    struct open_request *r;

    return open_requests_add(t, a, &(struct open_request){.purpose = purpose, .bytes = bytes}, NULL,
                             0, &r);
}

START_TEST(a_request_is_found_by_its_number_until_it_ends)
{
    TABLE *t = create();
    struct open_account a;
    struct open_request *r;
    uint64_t number;

    open_account_init(&a);
    r = add(t, &a, "m1", 0);
    number = r->number;
    ck_assert_ptr_eq(open_requests_find(t, number), r);
    ck_assert_str_eq(open_request_message_id(r), "m1");
    ck_assert_ptr_null(open_requests_find(t, number + 1));
    open_requests_end(t, &a, r);
    ck_assert_ptr_null(open_requests_find(t, number));
    ck_assert_uint_eq(open_requests_count(t), 0);
}
END_TEST

START_TEST(a_request_without_message_id_has_none)
{
    TABLE *t = create();
    struct open_account a;

    open_account_init(&a);
    ck_assert_ptr_null(open_request_message_id(add(t, &a, NULL, 0)));
}
END_TEST

START_TEST(the_oldest_is_overdue_first_and_nothing_is_before_its_time)
{
    TABLE *t = create();
    struct open_account a, b;
    struct open_request *first, *second;

    open_account_init(&a);
    open_account_init(&b);
    ck_assert_ptr_null(open_requests_overdue(t, INT64_MAX));
    first = add(t, &a, "1", 10 * SECOND);
    second = add(t, &b, "2", 11 * SECOND);
    ck_assert_ptr_null(open_requests_overdue(t, 11999));
    ck_assert_ptr_eq(open_requests_overdue(t, 12000), first);
    open_requests_end(t, &a, first);
    ck_assert_ptr_null(open_requests_overdue(t, 12999));
    ck_assert_ptr_eq(open_requests_overdue(t, 13000), second);
}
END_TEST

START_TEST(slow_requests_have_a_time_of_their_own)
{
    static const struct operation slow = {.is_slow = true};
    TABLE *t = create();
    struct open_account a;
    struct open_request *process, *prompt;

    open_account_init(&a);
    assert_ok(
        open_requests_add(t, &a, &(struct open_request){.operation = &slow}, NULL, 0, &process));
    prompt = add(t, &a, NULL, 10 * SECOND);
    ck_assert_ptr_eq(open_requests_overdue(t, 12000), prompt);
    open_requests_end(t, &a, prompt);
    ck_assert_ptr_null(open_requests_overdue(t, 59999));
    ck_assert_ptr_eq(open_requests_overdue(t, 60000), process);
    prompt = add(t, &a, NULL, 58 * SECOND);
    ck_assert_ptr_eq(open_requests_overdue(t, 60000), prompt);
    open_requests_end(t, &a, prompt);
    ck_assert_ptr_eq(open_requests_overdue(t, 60000), process);
}
END_TEST

START_TEST(an_account_is_bounded_in_number)
{
    TABLE *t = create();
    struct open_account a, other;

    open_account_init(&a);
    open_account_init(&other);
    for (size_t i = 0; i < limits.count; i++)
        add(t, &a, NULL, 0);
    assert_err(try_add(t, &a, PURPOSE_CLIENT, 1), ERR_FULL);
    assert_ok(try_add(t, &other, PURPOSE_CLIENT, 1));
    open_requests_end(t, &a, TAILQ_FIRST(&a.list));
    assert_ok(try_add(t, &a, PURPOSE_CLIENT, 1));
}
END_TEST

START_TEST(an_account_is_bounded_in_bytes)
{
    TABLE *t = create();
    struct open_account a;

    open_account_init(&a);
    assert_ok(try_add(t, &a, PURPOSE_CLIENT, 60));
    assert_err(try_add(t, &a, PURPOSE_CLIENT, 41), ERR_FULL);
    assert_ok(try_add(t, &a, PURPOSE_CLIENT, 40));
    ck_assert_uint_eq(a.bytes, 100);
}
END_TEST

START_TEST(what_the_gateway_asks_for_itself_is_always_admitted)
{
    TABLE *t = create();
    struct open_account a;

    open_account_init(&a);
    for (size_t i = 0; i < limits.count; i++)
        add(t, &a, NULL, 0);
    assert_ok(try_add(t, &a, PURPOSE_BIND, 1000));
    assert_ok(try_add(t, &a, PURPOSE_LEAVE, 1000));
    assert_err(try_add(t, &a, PURPOSE_LOGOUT, 1), ERR_FULL);
}
END_TEST

START_TEST(an_account_lists_its_own_requests_the_oldest_first)
{
    TABLE *t = create();
    struct open_account a, b;
    struct open_request *first, *second;

    open_account_init(&a);
    open_account_init(&b);
    first = add(t, &a, NULL, 0);
    add(t, &b, NULL, 0);
    second = add(t, &a, NULL, 0);
    ck_assert_ptr_eq(TAILQ_FIRST(&a.list), first);
    ck_assert_ptr_eq(TAILQ_NEXT(first, by_client), second);
    ck_assert_ptr_null(TAILQ_NEXT(second, by_client));
}
END_TEST

START_TEST(many_requests_are_all_found)
{
    TABLE *t = create();
    struct open_account accounts[1000];
    uint64_t numbers[3000];

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct open_account *a = &accounts[i / 3];

        if (i % 3 == 0)
            open_account_init(a);
        numbers[i] = add(t, a, NULL, 0)->number;
    }
    ck_assert_uint_eq(open_requests_count(t), ARRAY_SIZE(numbers));
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i += 2)
        open_requests_end(t, &accounts[i / 3], open_requests_find(t, numbers[i]));
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        ck_assert_int_eq(open_requests_find(t, numbers[i]) != NULL, i % 2);
}
END_TEST

UNIT_SUITE("open_requests", a_request_is_found_by_its_number_until_it_ends,
           a_request_without_message_id_has_none,
           the_oldest_is_overdue_first_and_nothing_is_before_its_time,
           slow_requests_have_a_time_of_their_own, an_account_is_bounded_in_number,
           an_account_is_bounded_in_bytes, what_the_gateway_asks_for_itself_is_always_admitted,
           an_account_lists_its_own_requests_the_oldest_first, many_requests_are_all_found)
