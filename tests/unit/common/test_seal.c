#include <string.h>

#include "common/base/secret.h"
#include "common/protocol/seal.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text
#define SEAL _cleanup_(seal_destroyp) struct seal

#define BODY   "{\"credential\":\"ada:correct horse\"}"
#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER  "fedcba9876543210fedcba9876543210"

static const struct msg request = {
    .queue = "authenticate",
    .type = "authenticate",
    .correlation_id = "7",
    .reply_to = "gateway.1",
    .client = "c1",
    .body = BODY,
    .size = sizeof(BODY) - 1,
};

/* As it travels. */
static struct msg closed(const struct seal *seal, struct text *body)
{
    struct msg m = request;

    seal_close(seal, &m, body);
    m.encoding = SEAL_ENCODING;
    m.body = body->at;
    m.size = body->size;
    return m;
}

START_TEST(what_is_sealed_is_opened_and_not_seen_before)
{
    SEAL *seal = seal_create(SECRET, "");
    TEXT body = {0}, plain = {0};
    const struct msg m = closed(seal, &body);

    ck_assert(seal_is_on(&m));
    ck_assert_ptr_null(memmem(body.at, body.size, "horse", 5));
    assert_ok(seal_open(seal, &m, &plain));
    assert_text(&plain, BODY);
}
END_TEST

START_TEST(plain_messages_and_those_of_other_encodings_are_not_sealed)
{
    struct msg m = request;

    ck_assert(!seal_is_on(&m));
    m.encoding = "gzip";
    ck_assert(!seal_is_on(&m));
}
END_TEST

START_TEST(the_same_text_is_sealed_differently_each_time)
{
    SEAL *seal = seal_create(SECRET, "");
    TEXT one = {0}, two = {0};

    (void)closed(seal, &one);
    (void)closed(seal, &two);
    ck_assert_uint_eq(one.size, two.size);
    ck_assert_int_ne(memcmp(one.at, two.at, one.size), 0);
}
END_TEST

START_TEST(another_secret_opens_nothing_unless_it_was_the_one_before)
{
    SEAL *seal = seal_create(SECRET, ""), *other = seal_create(OTHER, ""),
         *rotated = seal_create(OTHER, SECRET);
    TEXT body = {0}, plain = {0};
    const struct msg m = closed(seal, &body);

    assert_err(seal_open(other, &m, &plain), ERR_REFUSED);
    assert_text(&plain, "");
    assert_ok(seal_open(rotated, &m, &plain));
    assert_text(&plain, BODY);
}
END_TEST

static void check_refused(const struct msg *m)
{
    SEAL *seal = seal_create(SECRET, "");
    TEXT plain = {0};

    assert_err(seal_open(seal, m, &plain), ERR_REFUSED);
    assert_text(&plain, "");
}

START_TEST(a_body_holds_for_its_message_alone)
{
    SEAL *seal = seal_create(SECRET, "");
    TEXT body = {0};
    const struct msg m = closed(seal, &body);
    struct msg others[] = {m, m, m, m, m, m};

    others[0].queue = "register";
    others[1].type = "register";
    others[2].correlation_id = "8";
    others[3].reply_to = "gateway.2";
    others[4].client = "c2";
    others[5].client = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        check_refused(&others[i]);
}
END_TEST

START_TEST(a_changed_byte_or_a_missing_one_is_refused)
{
    SEAL *seal = seal_create(SECRET, "");
    TEXT body = {0};
    struct msg m = closed(seal, &body);
    const size_t size = m.size;

    for (size_t i = 0; i < size; i++) {
        body.at[i] ^= 1;
        check_refused(&m);
        body.at[i] ^= 1;
    }
    for (m.size = 0; m.size < size; m.size++)
        check_refused(&m);
}
END_TEST

START_TEST(an_empty_body_can_be_sealed)
{
    SEAL *seal = seal_create(SECRET, "");
    TEXT body = {0}, plain = {0};
    struct msg m = request;

    m.size = 0;
    seal_close(seal, &m, &body);
    m.body = body.at;
    m.size = body.size;
    assert_ok(seal_open(seal, &m, &plain));
    ck_assert_uint_eq(plain.size, 0);
}
END_TEST

UNIT_SUITE("seal", what_is_sealed_is_opened_and_not_seen_before,
           plain_messages_and_those_of_other_encodings_are_not_sealed,
           the_same_text_is_sealed_differently_each_time,
           another_secret_opens_nothing_unless_it_was_the_one_before,
           a_body_holds_for_its_message_alone, a_changed_byte_or_a_missing_one_is_refused,
           an_empty_body_can_be_sealed)
