#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * secret - the little cryptography that we need, all of it libsodium's: random names, hashes of
 * tokens, signatures of sessions, passwords.
 */

#define SECRET_ID_CHARS   32 /* of secret_random_id(), without the NUL */
#define SECRET_HASH_CHARS 64 /* of secret_hash() */
#define SECRET_MAC_BYTES  64 /* of secret_mac(): HMAC-SHA-512 */

#define SECRET_PASSWORD_BYTES_MAX 1024 /* of a password, wherever one is given; it has no NUL */

/* Once per process, before the first thread. ERR_IO: no source of randomness. */
_must_check_ enum err secret_init(void);

/* 16 random bytes as 32 lower-case hex digits. */
void secret_random_id(char out[SECRET_ID_CHARS + 1]);

/* Adds a random UUID (version 4, lower-case). */
void secret_add_uuid(struct text *out);

/* Adds the UUID-shaped name that follows from `seed`: the same seed, the same name. */
void secret_add_derived_uuid(struct text *out, const char *seed, size_t size);

/* SHA-256 as lower-case hex: how tokens are stored and results are keyed. */
void secret_hash(const void *data, size_t size, char out[SECRET_HASH_CHARS + 1]);

/* A token travels to those who need not know it as this and its hash; none begins like this. The
 * hash is got of it as of the token in clear, which operators may use. Not for what a client says:
 * whoever has read a hash somewhere would come in with it. */
#define SECRET_HASHED "sha256:"
bool secret_is_token_hash(const char *token, size_t size);
void secret_token_hash(const char *token, size_t size, char out[SECRET_HASH_CHARS + 1]);

/* 64 bits that nobody outside this process can predict, under a key that secret_init() makes: for
 * tables in memory, in which nobody can make two things collide. */
uint64_t secret_table_hash(const void *data, size_t size);

/* HMAC-SHA-512 under a key of any length. */
void secret_mac(const char *key, const void *data, size_t size, uint8_t out[SECRET_MAC_BYTES]);

/* Overwrites a text that holds a secret, and frees it. NULL is allowed. */
void secret_free(char *str);

static inline void secret_freep(char **str)
{
    secret_free(*str);
}

/* Compares in constant time. */
bool secret_equal(const void *a, const void *b, size_t size);

/* Standard Base64 with padding. Decoding: ERR_MALFORMED. */
void secret_add_base64(struct text *out, const void *data, size_t size);
_must_check_ enum err secret_from_base64(const char *in, size_t size, struct text *out);

/* The same for the alphabet of URLs, without padding, as JOSE has it (RFC 7515, section 2). */
_must_check_ enum err secret_from_base64_url(const char *in, size_t size, struct text *out);

/* Argon2id, as a self-describing string. About 20 MB and some ten milliseconds. */
_must_check_ enum err secret_password_hash(const char *password, size_t size, struct text *out);

/* Verifies in the time of one hash also when `hash` is NULL (unknown user: always false). */
bool secret_password_verify(const char *hash, const char *password, size_t size);

/* Is it a hash as secret_password_hash() makes them? Another takes another time to verify, which
 * would tell who exists. */
bool secret_password_is_current(const char *hash);
