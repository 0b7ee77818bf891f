#include "common/process/status.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/process/process_figures.h"

#define MOST_CONNECTIONS 32
#define TIMEOUT_S        10U /* of a connection on which nothing happens */

struct status {
    struct status_source source;
    struct MHD_Daemon *daemon;
};

/* ---- Pages ---- */

static int page_of_faults(void (*add)(const void *arg, struct text *out), const char *otherwise,
                          const struct status_source *source, struct text *body)
{
    const size_t before = body->size;

    add(source->arg, body);
    if (body->size > before)
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    text_add(body, otherwise);
    return MHD_HTTP_OK;
}

static int healthz(const struct status_source *source, struct text *body)
{
    return page_of_faults(source->stands_still, "ok\n", source, body);
}

static int readyz(const struct status_source *source, struct text *body)
{
    return page_of_faults(source->missing, "ready\n", source, body);
}

static int figures(const struct status_source *source, struct text *body)
{
    source->figures(source->arg, body);
    process_figures_print(body);
    return MHD_HTTP_OK;
}

static const struct {
    const char *path;
    int (*get)(const struct status_source *source, struct text *body);
} pages[] = {
    // clang-format off
    { "/healthz", healthz },
    { "/metrics", figures },
    { "/readyz",  readyz  },
    // clang-format on
};

int status_page(const struct status_source *source, const char *path, struct text *body)
{
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        if (strcmp(path, pages[i].path) == 0)
            return pages[i].get(source, body);
    return MHD_HTTP_NOT_FOUND;
}

/* ---- The port ---- */

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned code,
                                 struct text *body)
{
    const size_t size = body->size;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, text_steal(body), MHD_RESPMEM_MUST_FREE);
    enum MHD_Result sent;

    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  "text/plain; charset=utf-8");
    sent = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return sent;
}

/* NOLINTNEXTLINE(readability-function-size): the library says what its arguments are */
static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **request)
{
    _cleanup_(text_deinitp) struct text body = {0};
    const struct status *s = arg;
    int code = MHD_HTTP_METHOD_NOT_ALLOWED;

    (void)version;
    (void)data;
    (void)data_size;
    (void)request;
    if (!strcmp(method, MHD_HTTP_METHOD_GET) || !strcmp(method, MHD_HTTP_METHOD_HEAD))
        code = status_page(&s->source, path, &body);
    if (!body.size)
        text_add(&body, "nothing here; see /healthz, /readyz, /metrics\n");
    return send_text(connection, (unsigned)code, &body);
}

static struct MHD_Daemon *listen_at(struct status *s, uint16_t port, const struct addrinfo *at)
{
    const unsigned family = at->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0;

    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | family, port, NULL,
                            NULL, answer, s, MHD_OPTION_SOCK_ADDR, at->ai_addr,
                            MHD_OPTION_CONNECTION_LIMIT, MOST_CONNECTIONS,
                            MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_END);
}

enum err status_start(const char *host, uint16_t port, const struct status_source *source,
                      struct status **out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *at = NULL;
    char service[8];
    int failed;

    *out = NULL;
    if (!port)
        return ERR_OK;
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return ERR_NOMEM;
    (*out)->source = *source;
    snprintf(service, sizeof(service), "%u", port);
    failed = getaddrinfo(host, service, &hints, &at);
    if (!failed) {
        (*out)->daemon = listen_at(*out, port, at);
        freeaddrinfo(at);
    }
    if ((*out)->daemon) {
        log_info("status.listening", LOG_STR("host", host), LOG_I64("port", port));
        return ERR_OK;
    }
    log_error("status.not_started", LOG_STR("host", host), LOG_I64("port", port),
              LOG_STR("reason", failed ? gai_strerror(failed) : strerror(errno)));
    status_stop(*out);
    *out = NULL;
    return ERR_IO;
}

void status_stop(struct status *s)
{
    if (s && s->daemon)
        MHD_stop_daemon(s->daemon);
    free(s);
}
