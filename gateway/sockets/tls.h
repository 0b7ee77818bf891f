#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "gateway/metrics.h"

/*
 * tls - what the listener's sockets are encrypted with: certificate, key, and whose clients'
 * certificates are good; read from files, and read again while sockets are open.
 *
 * TLS 1.2 and 1.3, with forward secrecy. Each handshake takes what is newest; a socket keeps what
 * it began with. With clients' certificates no session is resumed: each shows its certificate anew.
 * A handshake that we end is counted and logged, though not each of many.
 *
 * The only module of the gateway that knows OpenSSL.
 *
 * Threads: belongs to the socket thread once that runs.
 */

enum tls_clients {
    TLS_CLIENTS_NONE,   /* are not asked for a certificate */
    TLS_CLIENTS_ACCEPT, /* are asked; one that is shown has to be good */
    TLS_CLIENTS_REQUIRE /* have to show a good one */
};

/* PEM files; "": none. All texts are borrowed. */
struct tls_files {
    const char *certificate; /* with its chain behind it */
    const char *key;
    const char *client_ca; /* who signs clients' certificates */
    enum tls_clients clients;
};

struct tls;

/* Reads the files. *out is NULL when there is no certificate, and nothing else that would need one.
 * What is wrong with them is logged: ERR_CONFIG. */
_must_check_ enum err tls_create(const struct tls_files *files, struct metrics *m,
                                 struct tls **out);
void tls_destroy(struct tls *t);

/* Makes a context of OpenSSL's (SSL_CTX) use them; it must not outlive *t. */
void tls_set_up(struct tls *t, void *context);

/* Reads the files again. If they are not good everything stays as it was. Either is logged. */
void tls_reload(struct tls *t);
