#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include <amqp_ssl_socket.h>

#include "common/amqp/amqp_private.h"
#include "common/base/log.h"

/*
 * The library does the handshake and what is read. What it lacks is done here, on its OpenSSL: it
 * tells of no reason why a certificate is refused, it compares names but no addresses, and it
 * writes each frame by itself.
 */

/* ---- What OpenSSL says ---- */

/* The first error is the cause of the others. */
static const char *first_error(void)
{
    const unsigned long e = ERR_peek_error();
    const char *reason =
        ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);

    return reason ? reason : "TLS failed";
}

const char *amqp_reason(const struct amqp_link *link, int status)
{
    if (link->tls_problem)
        return link->tls_problem;
    if (link->where.ssl && ERR_peek_error())
        return first_error();
    return amqp_error_string2(status);
}

/* ---- Files ---- */

static bool load_ca(SSL_CTX *ctx, const struct amqp_tls *tls)
{
    return *tls->ca_file ? SSL_CTX_load_verify_locations(ctx, tls->ca_file, NULL) == 1
                         : SSL_CTX_set_default_verify_paths(ctx) == 1;
}

static bool load_certificate(SSL_CTX *ctx, const struct amqp_tls *tls)
{
    return !*tls->certificate || SSL_CTX_use_certificate_chain_file(ctx, tls->certificate) == 1;
}

/* Behind the certificate, which it has to fit. */
static bool load_key(SSL_CTX *ctx, const struct amqp_tls *tls)
{
    return !*tls->key || SSL_CTX_use_PrivateKey_file(ctx, tls->key, SSL_FILETYPE_PEM) == 1;
}

static void log_wrong(const struct amqp_link *link, const char *setting, const char *reason)
{
    log_error("amqp.tls", LOG_STR("connection", link->config.connection_name),
              LOG_STR("setting", setting), LOG_STR("reason", reason));
}

static bool load(SSL_CTX *ctx, const struct amqp_link *link)
{
    static const struct {
        const char *setting;
        bool (*load)(SSL_CTX *ctx, const struct amqp_tls *tls);
    } files[] = {{"amqp.ca_file", load_ca},
                 {"amqp.client_certificate", load_certificate},
                 {"amqp.client_key", load_key}};

    ERR_clear_error();
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (!files[i].load(ctx, &link->config.tls)) {
            log_wrong(link, files[i].setting, first_error());
            return false;
        }
    }
    return true;
}

static bool can_load(const struct amqp_link *link)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const bool loaded = ctx && load(ctx, link);

    SSL_CTX_free(ctx);
    return loaded;
}

bool amqp_tls_check(const struct amqp_link *link)
{
    const struct amqp_tls *tls = &link->config.tls;
    const bool any = *tls->ca_file || *tls->certificate || *tls->key;
    const char *wrong = NULL;

    if (any && !link->where.ssl)
        wrong = "files for TLS are given, but the address is not amqps://";
    else if (!*tls->certificate != !*tls->key)
        wrong = "amqp.client_certificate and amqp.client_key go together";
    if (wrong)
        log_wrong(link, "amqp.url", wrong);
    return !wrong && (!link->where.ssl || can_load(link));
}

/* ---- The connection ---- */

/* Called for each certificate of a chain at least once, good or not. */
static int on_verify(int good, X509_STORE_CTX *chain)
{
    SSL *tls = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct amqp_link *link = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls));

    link->tls = tls;
    if (!good)
        link->tls_problem = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
    return good;
}

/* Who is at the host is who we want to speak to, be it a name or an address. */
static bool expect_host(SSL_CTX *ctx, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

    return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ||
           X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

amqp_socket_t *amqp_tls_socket(struct amqp_link *link)
{
    amqp_socket_t *socket = amqp_ssl_socket_new(link->connection);
    SSL_CTX *ctx = socket ? amqp_ssl_socket_get_context(socket) : NULL;

    link->tls = NULL;
    link->tls_problem = NULL;
    if (!ctx || !load(ctx, link) || !expect_host(ctx, link->where.host))
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_app_data(ctx, link);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
    amqp_ssl_socket_set_verify_hostname(socket, 0); /* done above, for addresses too */
    return socket;
}

ssize_t amqp_tls_write(struct amqp_link *link, const char *at, size_t size)
{
    int written, why;

    ERR_clear_error();
    written = SSL_write(link->tls, at, (int)size);
    if (written > 0)
        return written;
    why = SSL_get_error(link->tls, written);
    errno = why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ ? EAGAIN : EIO;
    return -1;
}

bool amqp_tls_has_more(const struct amqp_link *link)
{
    return link->tls && SSL_has_pending(link->tls);
}
