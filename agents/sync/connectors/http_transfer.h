#pragma once

#include <stdint.h>

#include "agents/sync/connectors/http_answer.h"
#include "agents/sync/connectors/http_operation.h"
#include "agents/sync/host/connector.h"
#include "common/base/text.h"

struct curl_slist;

/*
 * http_transfer - asks the server, through libcurl: the only one to send anything.
 *
 * Redirects are followed here and not by libcurl, since each has to be allowed before anybody is
 * connected to; addresses are looked at when a socket is made for them, so that no name can lead to
 * a private one. No proxy of the environment is used, no cookie kept, no compression asked for.
 *
 * A request whose kept connection turns out to be closed is sent again on a new one, by libcurl.
 */

struct http_request {
    const struct http_operation *operation;
    struct text url, body;
    struct curl_slist *headers;        /* "Name: value" each */
    struct curl_slist *public_headers; /* those without secrets */
    int64_t deadline_ms;               /* of clock_mono_ms() */
};

void http_request_deinit(struct http_request *request);

/* A thread's own handles, which keep connections open between requests. */
struct http_handles;
struct http_handles *http_handles_create(void);
void http_handles_destroy(struct http_handles *handles);

/* Fills *reply, by the deadline at the latest. False: *answer is a failure. */
bool http_transfer(const struct http_handles *handles, const struct http_request *request,
                   struct http_reply *reply, struct answer *answer);
