#pragma once

#include "common/base/text.h"

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

/* What an upgrade asks for: "activestack", "content" or NULL. A subprotocol says it on any path. */
const char *http_dialect(struct lws *wsi);

/* Positive: there is no such dialect; refused, and answered already. */
int http_upgrade(struct lws *wsi);

/* Adds the page and returns the status. */
typedef int http_page_fn(void *arg, const char *path, struct text *body);

/* Begins to answer a request for a page, of which `out` holds the rest until http_write() has
 * written it, when the socket can take it. */
int http_answer(struct lws *wsi, http_page_fn *page, void *arg, struct text *out);
int http_write(struct lws *wsi, struct text *out);
