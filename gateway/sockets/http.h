#pragma once

#include "common/base/text.h"
#include "gateway/door/door.h"

/*
 * http - what a socket says before it is a WebSocket, or instead: which dialect an upgrade asks
 * for, and pages.
 *
 * Each dialect is a subprotocol, and a path behind its slash. Returned numbers are what the
 * library's callbacks return: negative ends the connection.
 *
 * Threads: belongs to the socket thread.
 */

struct lws;

#define HTTP_HEAD_BYTES      8192 /* of a request, at most */
#define HTTP_ORIGIN_BYTES    512  /* a longer one is nobody's */
#define HTTP_FORWARDED_BYTES HTTP_HEAD_BYTES

/* What an upgrade asks for: "activestack", "content" or NULL. A subprotocol says it on any path. */
const char *http_dialect(struct lws *wsi);

/* What an upgrade says of itself, for the door. */
struct http_upgrade {
    struct upgrade upgrade; /* its texts are here: */
    char origin[HTTP_ORIGIN_BYTES], host[HTTP_ORIGIN_BYTES], forwarded[HTTP_FORWARDED_BYTES];
};

/* `protocol` is what an upgrade leads to. Returns 0, or the status of HTTP with which to refuse
 * what does not lead to a WebSocket of one of the dialects. */
int http_read_upgrade(struct lws *wsi, const char *protocol, struct http_upgrade *out);

/* Answers with this status. */
int http_refuse(struct lws *wsi, int status);

/* Adds the page and returns the status. */
typedef int http_page_fn(void *arg, const char *path, struct text *body);

/* Begins to answer a request for a page, of which `out` holds the rest until http_write() has
 * written it, when the socket can take it. */
int http_answer(struct lws *wsi, http_page_fn *page, void *arg, struct text *out);
int http_write(struct lws *wsi, struct text *out);
