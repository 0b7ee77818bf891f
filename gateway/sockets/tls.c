#include "gateway/sockets/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "common/base/address.h"
#include "common/base/log.h"

#define CIPHERS_1_2       "ECDHE+AESGCM:ECDHE+CHACHA20" /* those of TLS 1.3 are all good */
#define EXPIRES_SOON_DAYS 14

struct tls {
    struct tls_files files;
    struct metrics *metrics;
    SSL_CTX *loaded; /* holds what was read from the files; no socket uses it */
};

/* ---- The files ---- */

/* An encrypted key would be asked for on the terminal. */
static int no_password(char *buffer, int size, int for_writing, void *arg)
{
    (void)buffer;
    (void)size;
    (void)for_writing;
    (void)arg;
    return -1;
}

static enum err tell_unusable(const char *path, const char *otherwise)
{
    const unsigned long first = ERR_get_error();
    const char *reason = first ? ERR_reason_error_string(first) : NULL;

    log_error("tls.unusable", LOG_STR("file", path),
              LOG_STR("reason", reason ? reason : otherwise));
    ERR_clear_error();
    return ERR_CONFIG;
}

static enum err load_certificate(SSL_CTX *context, const struct tls_files *files)
{
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
        return tell_unusable(files->certificate, "cannot be read");
    if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return tell_unusable(files->key, "cannot be read");
    return ERR_OK;
}

/* The names are for clients, to choose a certificate by. */
static enum err load_client_ca(SSL_CTX *context, const char *path)
{
    STACK_OF(X509_NAME) * names;

    if (SSL_CTX_load_verify_file(context, path) != 1)
        return tell_unusable(path, "cannot be read");
    names = SSL_load_client_CA_file(path);
    if (!names)
        return tell_unusable(path, "has no certificates");
    SSL_CTX_set_client_CA_list(context, names);
    return ERR_OK;
}

static enum err load(const struct tls_files *files, SSL_CTX **out)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    enum err e;

    if (!context)
        return ERR_NOMEM;
    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(context, no_password);
    e = load_certificate(context, files);
    if (!e && files->clients != TLS_CLIENTS_NONE)
        e = load_client_ca(context, files->client_ca);
    if (e)
        SSL_CTX_free(context);
    else
        *out = context;
    return e;
}

static void tell_loaded(const struct tls *t)
{
    int days = 0, seconds = 0;

    (void)ASN1_TIME_diff(&days, &seconds, NULL,
                         X509_get0_notAfter(SSL_CTX_get0_certificate(t->loaded)));
    log_info("tls.loaded", LOG_STR("certificate", t->files.certificate), LOG_I64("days", days));
    if (days < EXPIRES_SOON_DAYS)
        log_warn("tls.expires", LOG_STR("certificate", t->files.certificate),
                 LOG_I64("days", days));
}

static bool is_given(const char *path)
{
    return path && *path;
}

/* What is missing to use the others; NULL: nothing. */
static const char *missing_file(const struct tls_files *f)
{
    if (!is_given(f->certificate))
        return is_given(f->key) || is_given(f->client_ca) || f->clients ? "gateway.tls_certificate"
                                                                        : NULL;
    if (!is_given(f->key))
        return "gateway.tls_key";
    if (f->clients != TLS_CLIENTS_NONE && !is_given(f->client_ca))
        return "gateway.tls_client_ca";
    return NULL;
}

static enum err make(const struct tls_files *files, struct metrics *m, struct tls **out)
{
    struct tls *t = calloc(1, sizeof(*t));
    enum err e;

    if (!t)
        return ERR_NOMEM;
    t->files = *files;
    t->metrics = m;
    e = load(files, &t->loaded);
    if (e) {
        tls_destroy(t);
        return e;
    }
    tell_loaded(t);
    *out = t;
    return ERR_OK;
}

enum err tls_create(const struct tls_files *files, struct metrics *m, struct tls **out)
{
    const char *missing = missing_file(files);

    *out = NULL;
    if (!missing)
        return is_given(files->certificate) ? make(files, m, out) : ERR_OK;
    log_error("tls.incomplete", LOG_STR("missing", missing));
    return ERR_CONFIG;
}

void tls_destroy(struct tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->loaded);
    free(t);
}

void tls_reload(struct tls *t)
{
    SSL_CTX *loaded;

    if (load(&t->files, &loaded))
        return;
    SSL_CTX_free(t->loaded);
    t->loaded = loaded;
    tell_loaded(t);
}

/* ---- Handshakes ---- */

static bool give_client_ca(const struct tls *t, SSL *ssl)
{
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(SSL_CTX_get_client_CA_list(t->loaded));

    if (!names || SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(t->loaded)) != 1)
        return false;
    SSL_set_client_CA_list(ssl, names);
    return true;
}

/* Each handshake begins with the newest certificate. */
static int on_handshake(SSL *ssl, void *arg)
{
    const struct tls *t = arg;
    STACK_OF(X509) *chain = NULL;

    SSL_certs_clear(ssl);
    SSL_CTX_get0_chain_certs(t->loaded, &chain);
    if (SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(t->loaded),
                             SSL_CTX_get0_privatekey(t->loaded), chain, 1) != 1)
        return 0;
    return t->files.clients == TLS_CLIENTS_NONE || give_client_ca(t, ssl);
}

/* Whom we turn away is told why by a fatal alert: two bytes. */
/* NOLINTNEXTLINE(readability-function-size): the library's parameters */
static void on_message(int written, int version, int type, const void *bytes, size_t size, SSL *ssl,
                       void *arg)
{
    const struct tls *t = arg;
    const unsigned char *alert = bytes;
    char address[ADDRESS_CHARS];
    struct address peer;

    (void)version;
    if (!written || type != SSL3_RT_ALERT || size != 2 || alert[0] != SSL3_AL_FATAL)
        return;
    peer = address_of_peer(SSL_get_fd(ssl));
    address_print(&peer, address);
    metrics_add(t->metrics, METRIC_DOOR_TLS, 1);
    log_warn("tls.refused", LOG_STR("reason", SSL_alert_desc_string_long(alert[1])),
             LOG_STR("address", address));
}

static void ask_clients(const struct tls *t, SSL_CTX *context)
{
    const int require =
        t->files.clients == TLS_CLIENTS_REQUIRE ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;

    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | require, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
}

void tls_set_up(struct tls *t, void *context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, CIPHERS_1_2);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF); /* is no more than an end */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);            /* who is idle needs none */
    SSL_CTX_set_cert_cb(context, on_handshake, t);
    SSL_CTX_set_msg_callback(context, on_message);
    SSL_CTX_set_msg_callback_arg(context, t);
    if (t->files.clients != TLS_CLIENTS_NONE)
        ask_clients(t, context);
}
