#include "agents/auth/oauth/jwks.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/secret.h"
#include "common/base/text.h"

#define KEYS_MAX         100 /* of a set; what is behind them is not looked at */
#define ID_MAX           1024
#define RSA_BYTES_MIN    256
#define RSA_BYTES_MAX    2048
#define EXPONENT_MAX     8
#define COORDINATE_BYTES 32

/* ---- Parts of a key ---- */

/* A number or coordinate, decoded; false: it is none, or of another size. */
static bool read_bytes(struct json_span key, const char *name, size_t least, size_t most,
                       struct text *out)
{
    _cleanup_(text_deinitp) struct text encoded = {0};

    return !json_decode(json_member(key, name, NULL), &encoded) &&
           !secret_from_base64_url(text_str(&encoded), encoded.size, out) && out->size >= least &&
           out->size <= most;
}

/* Absent, or this. */
static bool may_be(struct json_span key, const char *name, const char *value)
{
    struct json_span member = json_member(key, name, NULL);

    return json_kind(member) == JSON_ABSENT ||
           (json_kind(member) == JSON_STRING && json_string_is(member, value));
}

static EVP_PKEY *make(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!params || !context)
        err_out_of_memory();
    if (EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    ERR_clear_error();
    return key;
}

static EVP_PKEY *make_rsa(const struct text *modulus, const struct text *exponent)
{
    BIGNUM *n = BN_bin2bn((const unsigned char *)modulus->at, (int)modulus->size, NULL);
    BIGNUM *e = BN_bin2bn((const unsigned char *)exponent->at, (int)exponent->size, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    if (!n || !e || !build)
        err_out_of_memory();
    if (BN_num_bytes(n) >= RSA_BYTES_MIN && BN_is_odd(e) && !BN_is_one(e) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
        key = make("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *read_rsa(struct json_span jwk)
{
    _cleanup_(text_deinitp) struct text modulus = {0}, exponent = {0};

    if (!may_be(jwk, "alg", "RS256") ||
        !read_bytes(jwk, "n", RSA_BYTES_MIN, RSA_BYTES_MAX, &modulus) ||
        !read_bytes(jwk, "e", 1, EXPONENT_MAX, &exponent))
        return NULL;
    return make_rsa(&modulus, &exponent);
}

static EVP_PKEY *make_ec(const struct text *x, const struct text *y)
{
    _cleanup_(text_deinitp) struct text point = {0};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    if (!build)
        err_out_of_memory();
    text_add_char(&point, 0x04); /* both coordinates follow */
    text_add_bytes(&point, x->at, x->size);
    text_add_bytes(&point, y->at, y->size);
    if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.at, point.size))
        key = make("EC", build); /* NULL for a point that is not on the curve */
    OSSL_PARAM_BLD_free(build);
    return key;
}

static EVP_PKEY *read_ec(struct json_span jwk)
{
    _cleanup_(text_deinitp) struct text x = {0}, y = {0};
    struct json_span curve = json_member(jwk, "crv", NULL);

    if (!may_be(jwk, "alg", "ES256") || json_kind(curve) != JSON_STRING ||
        !json_string_is(curve, "P-256") ||
        !read_bytes(jwk, "x", COORDINATE_BYTES, COORDINATE_BYTES, &x) ||
        !read_bytes(jwk, "y", COORDINATE_BYTES, COORDINATE_BYTES, &y))
        return NULL;
    return make_ec(&x, &y);
}

/* ---- The set ---- */

static const struct {
    const char *type;
    enum jwk_algorithm algorithm;
    EVP_PKEY *(*read)(struct json_span jwk);
} types[] = {{"RSA", JWK_RS256, read_rsa}, {"EC", JWK_ES256, read_ec}};

/* False: it is of no use to us. */
static bool read_key(struct json_span jwk, struct jwk *out)
{
    struct json_span type = json_member(jwk, "kty", NULL), id = json_member(jwk, "kid", NULL);

    *out = (struct jwk){0};
    if (json_kind(type) != JSON_STRING || !may_be(jwk, "use", "sig"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(types) && !out->key; i++) {
        if (!json_string_is(type, types[i].type))
            continue;
        out->algorithm = types[i].algorithm;
        out->key = types[i].read(jwk);
    }
    if (!out->key)
        return false;
    if (json_kind(id) == JSON_ABSENT || !json_string(id, ID_MAX, &out->id))
        return true;
    EVP_PKEY_free(out->key);
    return false;
}

enum err jwks_read(struct json_span set, struct jwks *out)
{
    struct json_span keys = json_member(set, "keys", NULL);
    struct json_walk w = json_walk(keys);

    *out = (struct jwks){0};
    if (json_kind(keys) != JSON_ARRAY)
        return ERR_MALFORMED;
    out->at = calloc(KEYS_MAX, sizeof(*out->at));
    if (!out->at)
        err_out_of_memory();
    while (out->count < KEYS_MAX && json_next(&w)) {
        if (read_key(w.value, &out->at[out->count]))
            out->count++;
    }
    return ERR_OK;
}

void jwks_deinit(struct jwks *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        EVP_PKEY_free(keys->at[i].key);
        free(keys->at[i].id);
    }
    free(keys->at);
    *keys = (struct jwks){0};
}

const struct jwk *jwks_find(const struct jwks *keys, const char *id, enum jwk_algorithm algorithm)
{
    const struct jwk *found = NULL;

    for (size_t i = 0; i < keys->count; i++) {
        const struct jwk *key = &keys->at[i];

        if (key->algorithm != algorithm)
            continue;
        if (id && key->id && strcmp(id, key->id) == 0)
            return key;
        if (!id && found)
            return NULL; /* which one? */
        if (!id)
            found = key;
    }
    return found;
}
