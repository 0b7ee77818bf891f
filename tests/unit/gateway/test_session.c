#include <string.h>

#include "common/json/json_scan.h"
#include "gateway/clients/session.h"
#include "tests/support/unit.h"

#define NOW_MS INT64_C(1460480647867)
#define AGE_MS INT64_C(1000000)

static const struct session_keys keys = {
    .current = "a key of at least thirty-two bytes",
    .max_age_ms = AGE_MS,
};

static void init(void)
{
    assert_ok(secret_init());
}

/* What a session keeps of that token. */
#define TOKEN  "secret \"token\""
#define HASHED "sha256:baa20dc35bf06a876eeda9ce13befa92c1beb1233ef39d8e13a76b086f36ff00"

static struct session logged_in(void)
{
    struct session s;

    init();
    session_init(&s);
    session_login(&s, "u1", TOKEN, "d1");
    return s;
}

/* The JSON in a signed session's first part. */
static void decode(const char *signed_session, struct text *json)
{
    const char *semicolon = strchr(signed_session, ';');

    ck_assert_ptr_nonnull(semicolon);
    assert_ok(secret_from_base64(signed_session, (size_t)(semicolon - signed_session), json));
}

/* Signs any JSON as a gateway with the key would. */
static void sign_json(const char *json, struct text *out)
{
    uint8_t mac[SECRET_MAC_BYTES];

    secret_add_base64(out, json, strlen(json));
    secret_mac(keys.current, out->at, out->size, mac);
    text_add_char(out, ';');
    secret_add_base64(out, mac, sizeof(mac));
}

static enum err verify(const struct text *t, const struct session_keys *with, int64_t now_ms)
{
    struct session found = {0};
    enum err e = session_verify(text_str(t), t->size, with, now_ms, &found);

    session_deinit(&found);
    return e;
}

START_TEST(each_session_has_a_client_id_of_its_own)
{
    struct session a, b;

    init();
    session_init(&a);
    session_init(&b);
    ck_assert_uint_eq(strlen(a.client_id), 32);
    ck_assert_uint_eq(strspn(a.client_id, "0123456789abcdef"), 32);
    ck_assert_str_ne(a.client_id, b.client_id);
    ck_assert(!session_is_logged_in(&a));
}
END_TEST

START_TEST(a_logout_forgets_token_and_user_and_keeps_the_device)
{
    struct session s = logged_in();

    ck_assert(session_is_logged_in(&s));
    session_logout(&s);
    ck_assert(!session_is_logged_in(&s));
    ck_assert_ptr_null(s.token);
    ck_assert_str_eq(s.device_id, "d1");
    session_deinit(&s);
}
END_TEST

START_TEST(the_members_stand_in_the_order_of_the_spec)
{
    struct session s = logged_in();
    _cleanup_(text_deinitp) struct text t = {0}, json = {0}, expected = {0};

    session_sign(&s, &keys, NOW_MS, &t);
    decode(text_str(&t), &json);
    text_addf(&expected,
              "{\"savedAt\":1460480647867,\"clientId\":\"%s\",\"deviceId\":\"d1\","
              "\"token\":\"" HASHED "\",\"userId\":\"u1\"}",
              s.client_id);
    assert_text(&json, text_str(&expected));
    session_deinit(&s);
}
END_TEST

START_TEST(what_is_not_known_is_absent)
{
    struct session s;
    _cleanup_(text_deinitp) struct text t = {0}, json = {0};

    init();
    session_init(&s);
    session_sign(&s, &keys, NOW_MS, &t);
    decode(text_str(&t), &json);
    assert_contains(text_str(&json), "clientId");
    assert_lacks(text_str(&json), "userId");
    assert_lacks(text_str(&json), "token");
    assert_lacks(text_str(&json), "deviceId");
}
END_TEST

START_TEST(a_signed_session_comes_back_as_it_was)
{
    struct session s = logged_in(), found;
    _cleanup_(text_deinitp) struct text t = {0};

    session_sign(&s, &keys, NOW_MS, &t);
    assert_ok(session_verify(text_str(&t), t.size, &keys, NOW_MS + AGE_MS - 1, &found));
    ck_assert_str_eq(found.client_id, s.client_id);
    ck_assert_str_eq(found.user_id, "u1");
    ck_assert_str_eq(found.token, HASHED);
    ck_assert_str_eq(found.device_id, "d1");
    session_deinit(&found);
    session_deinit(&s);
}
END_TEST

START_TEST(a_session_that_is_too_old_is_refused)
{
    struct session s = logged_in();
    _cleanup_(text_deinitp) struct text t = {0};

    session_sign(&s, &keys, NOW_MS, &t);
    assert_err(verify(&t, &keys, NOW_MS + AGE_MS), ERR_TIMEOUT);
    session_deinit(&s);
}
END_TEST

START_TEST(no_byte_can_be_changed)
{
    struct session s = logged_in();
    _cleanup_(text_deinitp) struct text t = {0};

    session_sign(&s, &keys, NOW_MS, &t);
    for (size_t i = 0; i < t.size; i++) {
        const char was = t.at[i];

        t.at[i] = was == 'A' ? 'B' : 'A';
        ck_assert_msg(verify(&t, &keys, NOW_MS) != ERR_OK, "byte %zu", i);
        t.at[i] = was;
    }
    assert_ok(verify(&t, &keys, NOW_MS));
    session_deinit(&s);
}
END_TEST

START_TEST(the_previous_key_is_accepted_and_a_foreign_one_is_not)
{
    const struct session_keys rotated = {"a new key of thirty-two or more bytes",
                                         "a key of at least thirty-two bytes", AGE_MS};
    const struct session_keys foreign = {"a new key of thirty-two or more bytes", "", AGE_MS};
    struct session s = logged_in();
    _cleanup_(text_deinitp) struct text t = {0};

    session_sign(&s, &keys, NOW_MS, &t);
    assert_ok(verify(&t, &rotated, NOW_MS));
    assert_err(verify(&t, &foreign, NOW_MS), ERR_REFUSED);
    session_deinit(&s);
}
END_TEST

START_TEST(a_new_session_is_signed_with_the_current_key)
{
    const struct session_keys rotated = {"a new key of thirty-two or more bytes",
                                         "a key of at least thirty-two bytes", AGE_MS};
    struct session s = logged_in();
    _cleanup_(text_deinitp) struct text t = {0};

    session_sign(&s, &rotated, NOW_MS, &t);
    assert_err(verify(&t, &keys, NOW_MS), ERR_REFUSED);
    session_deinit(&s);
}
END_TEST

START_TEST(what_is_no_signed_session_is_refused)
{
    static const char *const texts[] = {"", ";", "a", "a;b", "e30=", "e30=;", ";e30=", "e30=;e30="};
    struct session s = logged_in();
    _cleanup_(text_deinitp) struct text cut = {0};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct session found;

        ck_assert_msg(session_verify(texts[i], strlen(texts[i]), &keys, NOW_MS, &found) != ERR_OK,
                      "%s", texts[i]);
    }
    session_sign(&s, &keys, NOW_MS, &cut);
    for (; cut.size > 0; cut.size--)
        if (cut.at[cut.size - 1] != '=') /* a prefix of the signature */
            break;
    cut.size -= 4;
    assert_err(verify(&cut, &keys, NOW_MS), ERR_MALFORMED);
    session_deinit(&s);
}
END_TEST

#define ID "\"0123456789abcdef0123456789abcdef\""

START_TEST(a_signature_does_not_make_nonsense_good)
{
    static const char *const texts[] = {
        "",
        "nothing",
        "[]",
        "{}",
        "{\"savedAt\":1460480647867}",
        "{\"savedAt\":1460480647867,\"clientId\":\"short\"}",
        "{\"savedAt\":1460480647867,\"clientId\":7}",
        "{\"savedAt\":\"1\",\"clientId\":" ID "}",
        "{\"savedAt\":1460480647867,\"clientId\":" ID ",\"userId\":1}",
    };

    init();
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_(text_deinitp) struct text t = {0};

        sign_json(texts[i], &t);
        ck_assert_msg(verify(&t, &keys, NOW_MS) == ERR_MALFORMED, "%s", texts[i]);
    }
}
END_TEST

START_TEST(members_of_other_versions_are_ignored)
{
    struct session found;
    _cleanup_(text_deinitp) struct text t = {0};

    init();
    sign_json("{\"savedAt\":1460480647867,\"clientId\":\"0123456789abcdef0123456789abcdef\","
              "\"existingClientIds\":[\"a\",\"b\"],\"userId\":null,\"other\":{}}",
              &t);
    assert_ok(session_verify(text_str(&t), t.size, &keys, NOW_MS, &found));
    ck_assert_ptr_null(found.user_id);
    ck_assert_ptr_null(found.existing_ids);
    session_deinit(&found);
}
END_TEST

/* ---- Returns ---- */

static struct session again(const struct session *earlier)
{
    struct session s;

    session_init(&s);
    session_return(&s, earlier);
    return s;
}

START_TEST(a_session_that_comes_back_is_what_it_was_under_a_new_name)
{
    struct session first = logged_in(), second = again(&first), third = again(&second), found;
    _cleanup_(text_deinitp) struct text t = {0}, json = {0}, expected = {0};

    ck_assert_str_ne(third.client_id, second.client_id);
    session_sign(&third, &keys, NOW_MS, &t);
    decode(text_str(&t), &json);
    text_addf(&expected,
              "{\"savedAt\":1460480647867,\"clientId\":\"%s\",\"existingClientId\":\"%s\","
              "\"existingClientIds\":[\"%s\",\"%s\"],\"deviceId\":\"d1\","
              "\"token\":\"" HASHED "\",\"userId\":\"u1\"}",
              third.client_id, second.client_id, first.client_id, second.client_id);
    assert_text(&json, text_str(&expected));

    assert_ok(session_verify(text_str(&t), t.size, &keys, NOW_MS, &found));
    ck_assert_str_eq(found.existing_id, second.client_id);
    ck_assert_str_eq(found.existing_ids, third.existing_ids);
    session_deinit(&found);
    session_deinit(&third);
    session_deinit(&second);
    session_deinit(&first);
}
END_TEST

START_TEST(a_return_on_the_same_socket_adds_no_name)
{
    struct session first = logged_in(), second = again(&first), same;

    session_init(&same);
    memcpy(same.client_id, second.client_id, sizeof(same.client_id));
    session_return(&same, &second);
    ck_assert_str_eq(same.existing_id, first.client_id);
    ck_assert_str_eq(same.existing_ids, second.existing_ids);
    session_deinit(&same);
    session_deinit(&second);
    session_deinit(&first);
}
END_TEST

START_TEST(the_newest_names_are_kept)
{
    struct session s = logged_in(), next;
    char oldest[SECRET_ID_CHARS + 1], newest[SECRET_ID_CHARS + 1];

    for (int i = 0; i < SESSION_EXISTING_MAX + 2; i++) {
        if (i == 2)
            memcpy(oldest, s.client_id, sizeof(oldest));
        memcpy(newest, s.client_id, sizeof(newest));
        next = again(&s);
        session_deinit(&s);
        s = next;
    }
    ck_assert_uint_eq(json_count(json_span_of(s.existing_ids)), SESSION_EXISTING_MAX);
    ck_assert_ptr_eq(strstr(s.existing_ids, oldest), s.existing_ids + 2);
    ck_assert_ptr_nonnull(strstr(s.existing_ids, newest));
    ck_assert_str_eq(s.existing_id, newest);
    session_deinit(&s);
}
END_TEST

START_TEST(a_logout_forgets_the_earlier_names)
{
    struct session first = logged_in(), second = again(&first);

    session_logout(&second);
    ck_assert_ptr_null(second.existing_id);
    ck_assert_ptr_null(second.existing_ids);
    session_deinit(&second);
    session_deinit(&first);
}
END_TEST

START_TEST(a_list_of_names_is_read_strictly)
{
    static const struct {
        const char *text, *expected;
    } lists[] = {
        {"[]", NULL},
        {"[\"x\"]", NULL},
        {"[" ID "]", "[" ID "]"},
        {"[ \"x\", " ID ", \"0123456789ABCDEF0123456789abcdef\" ]", "[" ID "]"},
        {"[" ID "," ID "]", "[" ID "," ID "]"},
    };
    static const char *const wrong[] = {"{}", "\"x\"", "[7]", "[\"x\",null]", "[[]]", "null"};
    char *ids;

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        assert_ok(session_read_ids(json_span_of(lists[i].text), &ids));
        ck_assert_pstr_eq(ids, lists[i].expected);
        free(ids);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_err(session_read_ids(json_span_of(wrong[i]), &ids), ERR_TYPE);
}
END_TEST

START_TEST(of_a_long_list_the_newest_names_are_read)
{
    _cleanup_(text_deinitp) struct text list = {0};
    char *ids;

    text_add(&list, "[");
    for (int i = 0; i < 100000; i++)
        text_addf(&list, "\"%032x\",", i);
    text_add(&list, ID "]");
    assert_ok(session_read_ids(json_span_of(text_str(&list)), &ids));
    ck_assert_uint_eq(json_count(json_span_of(ids)), SESSION_EXISTING_MAX);
    ck_assert_ptr_nonnull(strstr(ids, "0001869f")); /* 99,999 */
    assert_lacks(ids, "00018680\"");                /* one too many */
    assert_contains(ids, ID);
    free(ids);
}
END_TEST

START_TEST(signed_names_of_another_kind_are_malformed)
{
    static const char *const members[] = {"\"existingClientIds\":7", "\"existingClientIds\":[7]",
                                          "\"existingClientId\":[]"};

    init();
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        _cleanup_(text_deinitp) struct text json = {0}, t = {0};

        text_addf(&json, "{\"savedAt\":1460480647867,\"clientId\":" ID ",%s}", members[i]);
        sign_json(text_str(&json), &t);
        assert_err(verify(&t, &keys, NOW_MS), ERR_MALFORMED);
    }
}
END_TEST

UNIT_SUITE("session", each_session_has_a_client_id_of_its_own,
           a_logout_forgets_token_and_user_and_keeps_the_device,
           the_members_stand_in_the_order_of_the_spec, what_is_not_known_is_absent,
           a_signed_session_comes_back_as_it_was, a_session_that_is_too_old_is_refused,
           no_byte_can_be_changed, the_previous_key_is_accepted_and_a_foreign_one_is_not,
           a_new_session_is_signed_with_the_current_key, what_is_no_signed_session_is_refused,
           a_signature_does_not_make_nonsense_good, members_of_other_versions_are_ignored,
           a_session_that_comes_back_is_what_it_was_under_a_new_name,
           a_return_on_the_same_socket_adds_no_name, the_newest_names_are_kept,
           a_logout_forgets_the_earlier_names, a_list_of_names_is_read_strictly,
           of_a_long_list_the_newest_names_are_read, signed_names_of_another_kind_are_malformed)
