#include "common/protocol/seal.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define KEY_BYTES   crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES

/* Makes keys of the same secret for other purposes other keys. */
static const unsigned char purpose[] = "activestack seal 1";

struct seal {
    unsigned char key[KEY_BYTES], previous[KEY_BYTES];
    bool has_previous;
};

static void derive(const char *secret, unsigned char key[KEY_BYTES])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, purpose, sizeof(purpose), KEY_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)secret, strlen(secret));
    crypto_generichash_final(&state, key, KEY_BYTES);
    sodium_memzero(&state, sizeof(state));
}

struct seal *seal_create(const char *secret, const char *previous)
{
    struct seal *seal = calloc(1, sizeof(*seal));

    if (!seal)
        err_out_of_memory();
    derive(secret, seal->key);
    seal->has_previous = *previous;
    if (seal->has_previous)
        derive(previous, seal->previous);
    return seal;
}

void seal_destroy(struct seal *seal)
{
    if (!seal)
        return;
    sodium_memzero(seal, sizeof(*seal));
    free(seal);
}

bool seal_is_on(const struct msg *m)
{
    return m->encoding && strcmp(m->encoding, SEAL_ENCODING) == 0;
}

/* What the body is about, as bytes that no other message has: each text with its NUL. */
static void add_context(struct text *out, const struct msg *m)
{
    const char *const texts[] = {m->queue, m->type, m->correlation_id, m->reply_to, m->client};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        text_add(out, texts[i] ? texts[i] : "");
        text_add_char(out, '\0');
    }
}

void seal_close(const struct seal *seal, const struct msg *m, struct text *out)
{
    _cleanup_(text_deinitp) struct text context = {0};
    unsigned char *nonce;

    add_context(&context, m);
    text_reserve(out, NONCE_BYTES + m->size + TAG_BYTES);
    nonce = (unsigned char *)out->at + out->size;
    randombytes_buf(nonce, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        nonce + NONCE_BYTES, NULL, (const unsigned char *)m->body, m->size,
        (const unsigned char *)context.at, context.size, NULL, nonce, seal->key);
    out->size += NONCE_BYTES + m->size + TAG_BYTES;
    out->at[out->size] = '\0';
}

static bool open_with(const unsigned char *key, const struct msg *m, const struct text *context,
                      unsigned char *out)
{
    const unsigned char *nonce = (const unsigned char *)m->body;

    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               out, NULL, NULL, nonce + NONCE_BYTES, m->size - NONCE_BYTES,
               (const unsigned char *)context->at, context->size, nonce, key) == 0;
}

enum err seal_open(const struct seal *seal, const struct msg *m, struct text *out)
{
    _cleanup_(text_deinitp) struct text context = {0};
    unsigned char *at;

    if (m->size < NONCE_BYTES + TAG_BYTES)
        return ERR_REFUSED;
    add_context(&context, m);
    text_reserve(out, m->size - NONCE_BYTES - TAG_BYTES);
    at = (unsigned char *)out->at + out->size;
    if (!open_with(seal->key, m, &context, at) &&
        (!seal->has_previous || !open_with(seal->previous, m, &context, at))) {
        text_cut(out, out->size);
        return ERR_REFUSED;
    }
    text_cut(out, out->size + m->size - NONCE_BYTES - TAG_BYTES);
    return ERR_OK;
}
