#include "gateway/sockets/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <libwebsockets.h>

#include "common/base/cleanup.h"

#define HEADER_MAX_BYTES 256 /* of a path, and of the subprotocols that are offered */

/* ---- Upgrades ---- */

static const char *find_dialect(const char *name)
{
    static const char *const dialects[] = {"activestack", "content"};

    for (size_t i = 0; i < ARRAY_SIZE(dialects); i++)
        if (strcmp(name, dialects[i]) == 0)
            return dialects[i];
    return NULL;
}

static bool get_path(struct lws *wsi, char *path, size_t size)
{
    return lws_hdr_copy(wsi, path, (int)size, WSI_TOKEN_GET_URI) > 0;
}

/* The first subprotocol that is offered and known: the library takes the same. Offered are names
 * with commas and spaces between them. */
static const char *offered_dialect(struct lws *wsi)
{
    char offered[HEADER_MAX_BYTES], *rest, *name;
    const char *found = NULL;

    if (lws_hdr_copy(wsi, offered, sizeof(offered), WSI_TOKEN_PROTOCOL) <= 0)
        return NULL;
    name = strtok_r(offered, ", ", &rest);
    for (; name && !found; name = strtok_r(NULL, ", ", &rest))
        found = find_dialect(name);
    return found;
}

const char *http_dialect(struct lws *wsi)
{
    const char *offered = offered_dialect(wsi);
    char path[HEADER_MAX_BYTES];

    if (offered)
        return offered;
    return get_path(wsi, path, sizeof(path)) ? find_dialect(path + 1) : NULL;
}

/* NULL when it is not there. What is too long is cut off, and is then no one that is known. */
static const char *get_header(struct lws *wsi, enum lws_token_indexes token, char *at, size_t size)
{
    if (lws_hdr_total_length(wsi, token) <= 0)
        return NULL;
    if (lws_hdr_copy(wsi, at, (int)size, token) < 0)
        snprintf(at, size, "(too long)");
    return at;
}

int http_read_upgrade(struct lws *wsi, const char *protocol, struct http_upgrade *out)
{
    if (strcasecmp(protocol, "websocket") != 0)
        return HTTP_STATUS_BAD_REQUEST;
    if (!http_dialect(wsi))
        return HTTP_STATUS_NOT_FOUND;
    out->upgrade = (struct upgrade){
        .origin = get_header(wsi, WSI_TOKEN_ORIGIN, out->origin, sizeof(out->origin)),
        .host = get_header(wsi, WSI_TOKEN_HOST, out->host, sizeof(out->host)),
        .forwarded =
            get_header(wsi, WSI_TOKEN_X_FORWARDED_FOR, out->forwarded, sizeof(out->forwarded)),
    };
    return 0;
}

int http_refuse(struct lws *wsi, int status)
{
    return lws_return_http_status(wsi, (unsigned)status, NULL) ? -1 : 1;
}

/* ---- Pages ---- */

static int write_head(struct lws *wsi, int status, size_t size)
{
    unsigned char head[LWS_PRE + 1024];
    unsigned char *start = head + LWS_PRE, *at = start, *end = head + sizeof(head) - 1;

    if (lws_add_http_common_headers(wsi, (unsigned)status, "text/plain; charset=utf-8", size, &at,
                                    end) ||
        lws_finalize_write_http_header(wsi, start, &at, end))
        return -1;
    lws_callback_on_writable(wsi);
    return 0;
}

/* The body is written from behind LWS_PRE bytes, like everything. */
int http_answer(struct lws *wsi, http_page_fn *page, void *arg, struct text *out)
{
    static const char headroom[LWS_PRE];
    char path[HEADER_MAX_BYTES];
    int status;

    if (!get_path(wsi, path, sizeof(path)))
        return lws_return_http_status(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED, NULL) ||
                       lws_http_transaction_completed(wsi)
                   ? -1
                   : 0;
    text_clear(out);
    text_add_bytes(out, headroom, sizeof(headroom));
    status = page(arg, path, out);
    return write_head(wsi, status, out->size - sizeof(headroom));
}

int http_write(struct lws *wsi, struct text *out)
{
    int written;

    if (out->size == 0)
        return 0;
    written = lws_write(wsi, (unsigned char *)out->at + LWS_PRE, out->size - LWS_PRE,
                        LWS_WRITE_HTTP_FINAL);
    text_deinit(out);
    return written < 0 || lws_http_transaction_completed(wsi) ? -1 : 0;
}
