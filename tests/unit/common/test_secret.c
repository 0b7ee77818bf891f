#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/secret.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static void to_hex(const uint8_t *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

START_TEST(random_ids_are_lower_case_hex_and_differ)
{
    char a[SECRET_ID_CHARS + 1], b[SECRET_ID_CHARS + 1];

    assert_ok(secret_init());
    secret_random_id(a);
    secret_random_id(b);
    ck_assert_uint_eq(strlen(a), SECRET_ID_CHARS);
    ck_assert_uint_eq(strspn(a, "0123456789abcdef"), SECRET_ID_CHARS);
    ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(hashes_for_tables_differ_from_process_to_process)
{
    uint64_t hash;

    assert_ok(secret_init());
    hash = secret_table_hash("object", 6);
    ck_assert_uint_eq(secret_table_hash("object", 6), hash);
    ck_assert_uint_ne(secret_table_hash("objects", 7), hash);
    assert_ok(secret_init()); /* as another process would */
    ck_assert_uint_ne(secret_table_hash("object", 6), hash);
}
END_TEST

static void check_uuid(const char *uuid, char version)
{
    ck_assert_uint_eq(strlen(uuid), 36);
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            ck_assert_int_eq(uuid[i], '-');
        else
            ck_assert(isdigit(uuid[i]) || (uuid[i] >= 'a' && uuid[i] <= 'f'));
    }
    ck_assert_int_eq(uuid[14], version);
    ck_assert_ptr_nonnull(strchr("89ab", uuid[19]));
}

START_TEST(random_uuids_are_of_version_4_and_differ)
{
    TEXT a = {0}, b = {0};

    assert_ok(secret_init());
    secret_add_uuid(&a);
    secret_add_uuid(&b);
    check_uuid(a.at, '4');
    ck_assert_str_ne(a.at, b.at);
}
END_TEST

START_TEST(derived_uuids_follow_from_their_seed)
{
    TEXT a = {0}, b = {0}, c = {0};

    secret_add_derived_uuid(&a, "session/message", 15);
    secret_add_derived_uuid(&b, "session/message", 15);
    secret_add_derived_uuid(&c, "session/messagf", 15);
    check_uuid(a.at, '5');
    ck_assert_str_eq(a.at, b.at);
    ck_assert_str_ne(a.at, c.at);
}
END_TEST

START_TEST(the_hash_is_sha_256)
{
    char hash[SECRET_HASH_CHARS + 1];

    secret_hash("abc", 3, hash); /* FIPS 180-2, appendix B.1 */
    ck_assert_str_eq(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(a_token_and_its_hash_are_the_same_token)
{
    char expected[SECRET_HASH_CHARS + 1], hash[SECRET_HASH_CHARS + 1];
    TEXT hashed = {0};

    secret_hash("token", 5, expected);
    secret_token_hash("token", 5, hash);
    ck_assert_str_eq(hash, expected);
    text_addf(&hashed, "%s%s", SECRET_HASHED, expected);
    ck_assert(secret_is_token_hash(hashed.at, hashed.size));
    secret_token_hash(hashed.at, hashed.size, hash);
    ck_assert_str_eq(hash, expected);
}
END_TEST

START_TEST(what_is_no_hash_is_a_token_in_clear)
{
    static const char *const tokens[] = {
        "",
        "sha256:",
        "sha256:0123456789abcdef",
        "sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
        "SHA256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
    char expected[SECRET_HASH_CHARS + 1], hash[SECRET_HASH_CHARS + 1];

    for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
        const size_t size = strlen(tokens[i]);

        ck_assert(!secret_is_token_hash(tokens[i], size));
        secret_hash(tokens[i], size, expected);
        secret_token_hash(tokens[i], size, hash);
        ck_assert_str_eq(hash, expected);
    }
}
END_TEST

START_TEST(the_signature_is_hmac_sha_512)
{
    static const char expected[] = /* RFC 4231, test case 2 */
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
    uint8_t mac[SECRET_MAC_BYTES];
    char hex[2 * SECRET_MAC_BYTES + 1];

    secret_mac("Jefe", "what do ya want for nothing?", 28, mac);
    to_hex(mac, sizeof(mac), hex);
    ck_assert_str_eq(hex, expected);
}
END_TEST

START_TEST(a_key_may_be_longer_than_a_block)
{
    static const char expected[] = /* RFC 4231, test case 6: 131 bytes of 0xaa */
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
        "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598";
    static const char data[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    uint8_t mac[SECRET_MAC_BYTES];
    char key[132] = {0}, hex[2 * SECRET_MAC_BYTES + 1];

    memset(key, 0xaa, 131);
    secret_mac(key, data, strlen(data), mac);
    to_hex(mac, sizeof(mac), hex);
    ck_assert_str_eq(hex, expected);
}
END_TEST

START_TEST(equal_means_every_byte)
{
    ck_assert(secret_equal("abcd", "abcd", 4));
    ck_assert(!secret_equal("abcd", "abce", 4));
    ck_assert(!secret_equal("abcd", "bbcd", 4));
    ck_assert(secret_equal("a", "b", 0));
}
END_TEST

START_TEST(base64_goes_there_and_back)
{
    static const struct {
        const char *plain, *coded;
    } cases[] = {/* RFC 4648, section 10 */
                 {"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        TEXT coded = {0}, plain = {0};

        text_add(&coded, ">");
        secret_add_base64(&coded, cases[i].plain, strlen(cases[i].plain));
        ck_assert_str_eq(coded.at + 1, cases[i].coded);
        ck_assert_uint_eq(coded.size, strlen(cases[i].coded) + 1);

        text_add(&plain, ">");
        assert_ok(secret_from_base64(cases[i].coded, strlen(cases[i].coded), &plain));
        ck_assert_str_eq(plain.at + 1, cases[i].plain);
        ck_assert_uint_eq(plain.size, strlen(cases[i].plain) + 1);
    }
}
END_TEST

START_TEST(what_is_not_base64_is_malformed_and_adds_nothing)
{
    static const char *const wrong[] = {
        "Z", "Zg", "Zg=", "Zg===", "Zm9v!", "Zm 9v", "Zm9v\n", "====", "Zh==", "Zm9v-_==",
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        TEXT t = {0};

        text_add(&t, "before");
        ck_assert_msg(secret_from_base64(wrong[i], strlen(wrong[i]), &t) == ERR_MALFORMED,
                      "\"%s\" was accepted", wrong[i]);
        assert_text(&t, "before");
        ck_assert_uint_eq(t.size, 6);
    }
}
END_TEST

START_TEST(a_password_is_verified_by_its_hash_alone)
{
    TEXT a = {0}, b = {0};

    assert_ok(secret_init());
    assert_ok(secret_password_hash("correct horse", 13, &a));
    assert_ok(secret_password_hash("correct horse", 13, &b));
    ck_assert_int_eq(strncmp(a.at, "$argon2id$", 10), 0);
    ck_assert_str_ne(a.at, b.at); /* salted */
    ck_assert(secret_password_verify(a.at, "correct horse", 13));
    ck_assert(!secret_password_verify(a.at, "correct horsf", 13));
    ck_assert(!secret_password_verify(a.at, "", 0));
    ck_assert(!secret_password_verify("no hash", "correct horse", 13));
}
END_TEST

/* Processor time, so that a busy machine does not matter. */
static clock_t work_of(const char *hash)
{
    const clock_t start = clock();

    (void)secret_password_verify(hash, "password", 8);
    return clock() - start;
}

START_TEST(an_unknown_user_costs_the_work_of_a_known_one)
{
    TEXT hash = {0};

    assert_ok(secret_init());
    ck_assert(!secret_password_verify(NULL, "password", 8));
    assert_ok(secret_password_hash("other", 5, &hash));
    /* Without the work they would be a thousand times apart. */
    ck_assert_int_gt(work_of(NULL) * 10, work_of(hash.at));
}
END_TEST

UNIT_SUITE("secret", random_ids_are_lower_case_hex_and_differ,
           hashes_for_tables_differ_from_process_to_process,
           random_uuids_are_of_version_4_and_differ, derived_uuids_follow_from_their_seed,
           the_hash_is_sha_256, a_token_and_its_hash_are_the_same_token,
           what_is_no_hash_is_a_token_in_clear, the_signature_is_hmac_sha_512,
           a_key_may_be_longer_than_a_block, equal_means_every_byte, base64_goes_there_and_back,
           what_is_not_base64_is_malformed_and_adds_nothing,
           a_password_is_verified_by_its_hash_alone, an_unknown_user_costs_the_work_of_a_known_one)
