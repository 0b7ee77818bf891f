#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "agents/auth/oauth/jwt.h"
#include "common/base/secret.h"
#include "tests/support/unit.h"

#define HEAD   "{\"alg\":\"RS256\",\"kid\":\"k\"}"
#define CLAIMS "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"iat\":1000,\"exp\":2000}"

static EVP_PKEY *pair;
static struct jwk jwk;
static const struct jwks keys = {&jwk, 1};

static void make_pair(void)
{
    static char id[] = "k";

    assert_ok(secret_init());
    pair = EVP_RSA_gen(2048);
    ck_assert_ptr_nonnull(pair);
    jwk = (struct jwk){.id = id, .algorithm = JWK_RS256, .key = pair};
}

static void free_pair(void)
{
    EVP_PKEY_free(pair);
}

static void add_part(struct text *out, const void *bytes, size_t size)
{
    char encoded[1024];

    sodium_bin2base64(encoded, sizeof(encoded), bytes, size,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    text_addf(out, "%s%s", out->size ? "." : "", encoded);
}

static void add_token(struct text *out, const char *head, const char *claims)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[256];
    size_t size = sizeof(signature);

    add_part(out, head, strlen(head));
    add_part(out, claims, strlen(claims));
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pair), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &size, (unsigned char *)out->at, out->size),
                     1);
    add_part(out, signature, size);
    EVP_MD_CTX_free(context);
}

static enum err verify(const char *token, const struct jwks *known)
{
    _cleanup_(text_deinitp) struct text claims = {0};
    const char *why = NULL;
    enum err e = jwt_verify(token, known, &claims, &why);

    ck_assert(e ? why != NULL : claims.size > 0);
    return e;
}

START_TEST(a_token_tells_its_claims_to_who_has_the_key)
{
    static const struct jwks none = {0};
    _cleanup_(text_deinitp) struct text token = {0}, claims = {0};
    const char *why;

    add_token(&token, HEAD, CLAIMS);
    assert_ok(jwt_verify(token.at, &keys, &claims, &why));
    assert_text(&claims, CLAIMS);
    assert_err(verify(token.at, &none), ERR_NOT_FOUND);
}
END_TEST

START_TEST(no_byte_of_it_can_be_another)
{
    _cleanup_(text_deinitp) struct text token = {0};

    add_token(&token, HEAD, CLAIMS);
    for (size_t i = 0; i < token.size; i++) {
        const char was = token.at[i];

        token.at[i] = was == 'A' ? 'B' : 'A';
        ck_assert_int_ne(verify(token.at, &keys), ERR_OK);
        token.at[i] = '.';
        if (was != '.')
            ck_assert_int_ne(verify(token.at, &keys), ERR_OK);
        token.at[i] = was;
    }
    assert_ok(verify(token.at, &keys));
}
END_TEST

START_TEST(no_byte_of_it_can_be_left_out)
{
    _cleanup_(text_deinitp) struct text token = {0};

    add_token(&token, HEAD, CLAIMS);
    while (token.size) {
        text_cut(&token, token.size - 1);
        ck_assert_int_ne(verify(token.at, &keys), ERR_OK);
    }
}
END_TEST

START_TEST(what_is_signed_has_to_be_a_token)
{
    static const struct {
        const char *head, *claims;
        enum err expected;
    } rows[] = {
        {HEAD, "[]", ERR_MALFORMED},
        {HEAD, "", ERR_MALFORMED},
        {HEAD, "{\"a\":\"\xff\"}", ERR_MALFORMED},
        {"[]", CLAIMS, ERR_MALFORMED},
        {"{}", CLAIMS, ERR_MALFORMED},
        {"{\"alg\":[\"RS256\"]}", CLAIMS, ERR_MALFORMED},
        {"{\"alg\":\"rs256\"}", CLAIMS, ERR_MALFORMED},
        {"{\"alg\":\"RS256\",\"kid\":null}", CLAIMS, ERR_MALFORMED},
        {"{\"alg\":\"ES256\",\"kid\":\"k\"}", CLAIMS, ERR_NOT_FOUND},
        {"{\"alg\":\"RS256\"}", CLAIMS, ERR_OK},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(text_deinitp) struct text token = {0};

        add_token(&token, rows[i].head, rows[i].claims);
        assert_err(verify(token.at, &keys), rows[i].expected);
    }
}
END_TEST

START_TEST(it_may_be_large_but_not_larger)
{
    _cleanup_(text_deinitp) struct text huge = {0};

    while (huge.size <= JWT_BYTES_MAX)
        text_add(&huge, "aaaa.");
    assert_err(verify(huge.at, &keys), ERR_MALFORMED);
}
END_TEST

/* The claims, to the second, with a leeway of 10 s. */
START_TEST(times_hold_with_their_leeway)
{
    static const char *const issuers[] = {"i", NULL}, *const audiences[] = {"c", "a", NULL};
    static const struct {
        int64_t now;
        bool good;
    } rows[] = {{989, false}, {990, true}, {1500, true}, {2009, true}, {2010, false}};
    struct json_span claims = json_span_of(CLAIMS);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct jwt_wanted wanted = {issuers, audiences, rows[i].now, 10};

        ck_assert_int_eq(jwt_fault(claims, &wanted) == NULL, rows[i].good);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_token_tells_its_claims_to_who_has_the_key,
                                  no_byte_of_it_can_be_another,
                                  no_byte_of_it_can_be_left_out,
                                  what_is_signed_has_to_be_a_token,
                                  it_may_be_large_but_not_larger,
                                  times_hold_with_their_leeway};
    TCase *tcase = tcase_create("oauth jwt");

    tcase_add_unchecked_fixture(tcase, make_pair, free_pair);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(tcase, tests[i]);
    return unit_run_case("oauth jwt", tcase);
}
