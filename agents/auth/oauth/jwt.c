#include "agents/auth/oauth/jwt.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/secret.h"

#define KEY_ID_MAX   1024
#define ES256_BYTES  64 /* of a signature: two numbers of the same size */
#define ES256_NUMBER (ES256_BYTES / 2)

static const struct json_limits limits = {.depth = 32, .number_chars = 100};

/* ---- Its parts ---- */

struct parts {
    struct json_span head, claims, signature; /* still encoded */
    struct json_span is_signed;               /* the first two */
};

static bool split(const char *token, struct parts *out)
{
    const size_t size = strnlen(token, JWT_BYTES_MAX + 1);
    const char *first = memchr(token, '.', size);
    const char *second = first ? strchr(first + 1, '.') : NULL;

    if (size > JWT_BYTES_MAX || !second || strchr(second + 1, '.'))
        return false;
    out->head = (struct json_span){token, (size_t)(first - token)};
    out->claims = (struct json_span){first + 1, (size_t)(second - first - 1)};
    out->signature = (struct json_span){second + 1, size - (size_t)(second + 1 - token)};
    out->is_signed = (struct json_span){token, (size_t)(second - token)};
    return true;
}

/* Decodes a part that is a JSON object. */
static bool decode_object(struct json_span part, struct text *out)
{
    return !secret_from_base64_url(part.at, part.size, out) &&
           !json_check(text_str(out), out->size, &limits, NULL) &&
           json_kind(json_value(out->at, out->size)) == JSON_OBJECT;
}

/* ---- Its signature ---- */

static bool verify(EVP_PKEY *key, struct json_span is_signed, const struct text *signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good;

    if (!context)
        err_out_of_memory();
    good = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestVerify(context, (const unsigned char *)signature->at, signature->size,
                            (const unsigned char *)is_signed.at, is_signed.size) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

/* JOSE has the two numbers side by side, OpenSSL wants them in DER. */
static bool add_der(const struct text *pair, struct text *out)
{
    const unsigned char *at = (const unsigned char *)pair->at;
    ECDSA_SIG *both = ECDSA_SIG_new();
    BIGNUM *r, *s;
    unsigned char *der = NULL;
    int size;

    if (pair->size != ES256_BYTES) {
        ECDSA_SIG_free(both);
        return false;
    }
    r = BN_bin2bn(at, ES256_NUMBER, NULL);
    s = BN_bin2bn(at + ES256_NUMBER, ES256_NUMBER, NULL);
    if (!both || !r || !s || !ECDSA_SIG_set0(both, r, s))
        err_out_of_memory();
    size = i2d_ECDSA_SIG(both, &der);
    ECDSA_SIG_free(both);
    if (size <= 0)
        err_out_of_memory();
    text_add_bytes(out, der, (size_t)size);
    OPENSSL_free(der);
    return true;
}

static bool is_signed_by(const struct parts *parts, const struct jwk *key)
{
    _cleanup_(text_deinitp) struct text signature = {0}, der = {0};

    if (secret_from_base64_url(parts->signature.at, parts->signature.size, &signature))
        return false;
    if (key->algorithm == JWK_RS256)
        return verify(key->key, parts->is_signed, &signature);
    return add_der(&signature, &der) && verify(key->key, parts->is_signed, &der);
}

/* ---- Its head ---- */

static bool read_algorithm(struct json_span head, enum jwk_algorithm *out)
{
    struct json_span algorithm = json_member(head, "alg", NULL);

    if (json_kind(algorithm) != JSON_STRING)
        return false;
    *out = json_string_is(algorithm, "RS256") ? JWK_RS256 : JWK_ES256;
    return *out == JWK_RS256 || json_string_is(algorithm, "ES256");
}

static enum err find_key(struct json_span head, const struct jwks *keys, const struct jwk **out,
                         const char **why)
{
    struct json_span id = json_member(head, "kid", NULL);
    enum jwk_algorithm algorithm;
    char *name = NULL;

    *why = "its algorithm is not allowed";
    if (!read_algorithm(head, &algorithm))
        return ERR_MALFORMED;
    *why = "it has extensions that must be understood";
    if (json_kind(json_member(head, "crit", NULL)) != JSON_ABSENT)
        return ERR_MALFORMED;
    *why = "its key id is none";
    if (json_kind(id) != JSON_ABSENT && json_string(id, KEY_ID_MAX, &name))
        return ERR_MALFORMED;
    *out = jwks_find(keys, name, algorithm);
    free(name);
    *why = "its key is not among the provider's";
    return *out ? ERR_OK : ERR_NOT_FOUND;
}

enum err jwt_verify(const char *token, const struct jwks *keys, struct text *claims,
                    const char **why)
{
    _cleanup_(text_deinitp) struct text head = {0};
    const struct jwk *key = NULL;
    struct parts parts;
    enum err e;

    *why = "it is no signed JWT";
    if (!split(token, &parts) || !decode_object(parts.head, &head))
        return ERR_MALFORMED;
    e = find_key(json_value(head.at, head.size), keys, &key, why);
    if (e)
        return e;
    *why = "its signature is wrong";
    if (!is_signed_by(&parts, key))
        return ERR_REFUSED;
    *why = "its claims are none";
    return decode_object(parts.claims, claims) ? ERR_OK : ERR_MALFORMED;
}

/* ---- Its claims ---- */

static bool is_in(struct json_span claim, const char *const *list)
{
    for (; json_kind(claim) == JSON_STRING && *list; list++) {
        if (json_string_is(claim, *list))
            return true;
    }
    return false;
}

bool jwt_names(struct json_span claim, const char *const *list)
{
    struct json_walk w = json_walk(claim);

    if (json_kind(claim) != JSON_ARRAY)
        return is_in(claim, list);
    while (json_next(&w)) {
        if (is_in(w.value, list))
            return true;
    }
    return false;
}

/* A time, in whole seconds. False: there is none. */
static bool read_time(struct json_span claims, const char *name, int64_t *out)
{
    return !json_int64(json_member(claims, name, NULL), out);
}

static bool has(struct json_span claims, const char *name)
{
    return json_kind(json_member(claims, name, NULL)) != JSON_ABSENT;
}

static const char *fault_of_times(struct json_span claims, const struct jwt_wanted *wanted)
{
    const int64_t latest = wanted->now_s + wanted->leeway_s;
    int64_t at;

    if (!read_time(claims, "exp", &at))
        return "it has no time of expiry";
    if (at <= wanted->now_s - wanted->leeway_s)
        return "it has expired";
    if (!read_time(claims, "iat", &at))
        return "it does not say when it was issued";
    if (at > latest)
        return "it was issued in the future";
    if (has(claims, "nbf") && (!read_time(claims, "nbf", &at) || at > latest))
        return "it is not yet valid";
    return NULL;
}

const char *jwt_fault(struct json_span claims, const struct jwt_wanted *wanted)
{
    struct json_span audience = json_member(claims, "aud", NULL);

    if (!is_in(json_member(claims, "iss", NULL), wanted->issuers))
        return "it is from another issuer";
    if (!jwt_names(audience, wanted->audiences))
        return "it is for another audience";
    if (json_kind(audience) == JSON_ARRAY && json_count(audience) > 1 && !has(claims, "azp"))
        return "it does not say for whom among its audiences it was issued";
    if (has(claims, "azp") && !is_in(json_member(claims, "azp", NULL), wanted->audiences))
        return "it was issued for another client";
    return fault_of_times(claims, wanted);
}
