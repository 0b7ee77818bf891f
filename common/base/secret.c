#include "common/base/secret.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* Argon2id with 19 MiB and two passes: the smallest that OWASP recommends. */
#define PASSWORD_OPERATIONS 2
#define PASSWORD_MEMORY     ((size_t)19 * 1024 * 1024)

#define UUID_BYTES 16

static uint8_t table_key[crypto_shorthash_KEYBYTES];

enum err secret_init(void)
{
    if (sodium_init() < 0)
        return ERR_IO;
    crypto_shorthash_keygen(table_key);
    return ERR_OK;
}

void secret_random_id(char out[SECRET_ID_CHARS + 1])
{
    uint8_t bytes[SECRET_ID_CHARS / 2];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(out, SECRET_ID_CHARS + 1, bytes, sizeof(bytes));
}

/* RFC 9562: the version in the upper half of byte 6, "10" on top of byte 8. */
static void add_uuid(struct text *out, uint8_t bytes[UUID_BYTES], unsigned version)
{
    char hex[UUID_BYTES * 2 + 1];

    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    sodium_bin2hex(hex, sizeof(hex), bytes, UUID_BYTES);
    text_addf(out, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void secret_add_uuid(struct text *out)
{
    uint8_t bytes[UUID_BYTES];

    randombytes_buf(bytes, sizeof(bytes));
    add_uuid(out, bytes, 4);
}

/* Marked as version 5, "made from a name", the nearest that old checkers of UUIDs know; the hash
 * is SHA-256 all the same. */
void secret_add_derived_uuid(struct text *out, const char *seed, size_t size)
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)seed, size);
    add_uuid(out, hash, 5);
}

void secret_hash(const void *data, size_t size, char out[SECRET_HASH_CHARS + 1])
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, data, size);
    sodium_bin2hex(out, SECRET_HASH_CHARS + 1, hash, sizeof(hash));
}

bool secret_is_token_hash(const char *token, size_t size)
{
    const size_t prefix = strlen(SECRET_HASHED);

    return size == prefix + SECRET_HASH_CHARS && memcmp(token, SECRET_HASHED, prefix) == 0 &&
           strspn(token + prefix, "0123456789abcdef") == SECRET_HASH_CHARS;
}

void secret_token_hash(const char *token, size_t size, char out[SECRET_HASH_CHARS + 1])
{
    if (!secret_is_token_hash(token, size)) {
        secret_hash(token, size, out);
        return;
    }
    memcpy(out, token + strlen(SECRET_HASHED), SECRET_HASH_CHARS);
    out[SECRET_HASH_CHARS] = '\0';
}

uint64_t secret_table_hash(const void *data, size_t size)
{
    uint64_t hash;

    _Static_assert(crypto_shorthash_BYTES == sizeof(hash), "size of a SipHash");
    crypto_shorthash((unsigned char *)&hash, data, size, table_key);
    return hash;
}

void secret_mac(const char *key, const void *data, size_t size, uint8_t out[SECRET_MAC_BYTES])
{
    crypto_auth_hmacsha512_state state;

    _Static_assert(crypto_auth_hmacsha512_BYTES == SECRET_MAC_BYTES, "size of an HMAC-SHA-512");
    crypto_auth_hmacsha512_init(&state, (const unsigned char *)key, strlen(key));
    crypto_auth_hmacsha512_update(&state, data, size);
    crypto_auth_hmacsha512_final(&state, out);
    sodium_memzero(&state, sizeof(state));
}

void secret_free(char *str)
{
    if (str)
        explicit_bzero(str, strlen(str));
    free(str);
}

bool secret_equal(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

void secret_add_base64(struct text *out, const void *data, size_t size)
{
    const size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);

    text_reserve(out, room);
    sodium_bin2base64(out->at + out->size, room, data, size, sodium_base64_VARIANT_ORIGINAL);
    out->size += room - 1; /* which counts the NUL */
}

static enum err decode(const char *in, size_t size, int variant, struct text *out)
{
    const size_t room = size / 4 * 3 + 3;
    size_t decoded;

    text_reserve(out, room);
    if (sodium_base642bin((unsigned char *)out->at + out->size, room, in, size, NULL, &decoded,
                          NULL, variant) != 0) {
        out->at[out->size] = '\0'; /* what was decoded so far is not part of the text */
        return ERR_MALFORMED;
    }
    out->size += decoded;
    out->at[out->size] = '\0';
    return ERR_OK;
}

enum err secret_from_base64(const char *in, size_t size, struct text *out)
{
    return decode(in, size, sodium_base64_VARIANT_ORIGINAL, out);
}

enum err secret_from_base64_url(const char *in, size_t size, struct text *out)
{
    return decode(in, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out);
}

enum err secret_password_hash(const char *password, size_t size, struct text *out)
{
    char hash[crypto_pwhash_STRBYTES];

    if (crypto_pwhash_str(hash, password, size, PASSWORD_OPERATIONS, PASSWORD_MEMORY) != 0)
        return ERR_NOMEM;
    text_add(out, hash);
    return ERR_OK;
}

bool secret_password_verify(const char *hash, const char *password, size_t size)
{
    char nobody[crypto_pwhash_STRBYTES];

    if (hash)
        return crypto_pwhash_str_verify(hash, password, size) == 0;

    /* The work is done all the same, so that the time does not tell who exists. */
    if (crypto_pwhash_str(nobody, password, size, PASSWORD_OPERATIONS, PASSWORD_MEMORY) != 0)
        return false;
    return false;
}

bool secret_password_is_current(const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, PASSWORD_OPERATIONS, PASSWORD_MEMORY) == 0;
}
