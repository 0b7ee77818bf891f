#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/amqp/msg.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * seal - what passwords, codes and tokens travel in between gateways and auth agents, so that
 * neither the broker nor whoever looks into its queues sees any.
 *
 * The whole body is encrypted (XChaCha20-Poly1305 of libsodium: a fresh random nonce, then the
 * text, then its tag), under a key that follows from a secret which gateways and auth agents share.
 * It holds only for its message: queue, type, correlation id, queue for the answer and client. The
 * encoding of the message (SEAL_ENCODING) says that it is sealed. What operators publish by hand is
 * not, and is answered in clear.
 *
 * Threads: a seal does not change; any thread may use it.
 * Secrets: keys are wiped by seal_destroy(). What seal_open() adds is the caller's to wipe.
 */

#define SEAL_ENCODING "xchacha20-poly1305"

struct seal;

/* Seals with `secret`, opens also what was sealed with `previous` ("": none). */
struct seal *seal_create(const char *secret, const char *previous);
void seal_destroy(struct seal *seal);

/* Is this message's body sealed? */
bool seal_is_on(const struct msg *m);

/* Adds m->body, sealed for the message *m. */
void seal_close(const struct seal *seal, const struct msg *m, struct text *out);

/* Adds the body that was sealed. ERR_REFUSED: with another secret, for another message, or it has
 * been changed on its way; then nothing is added. */
_must_check_ enum err seal_open(const struct seal *seal, const struct msg *m, struct text *out);

DEFINE_CLEANUP(struct seal *, seal_destroy)
