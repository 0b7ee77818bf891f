#pragma once

#include <stdint.h>

#include "agents/runtime/http/http_exchange.h"
#include "agents/sync/connectors/http_answer.h"
#include "agents/sync/connectors/http_operation.h"
#include "agents/sync/host/connector.h"
#include "common/base/text.h"

struct curl_slist;

/*
 * http_transfer - asks the server that an operation declares, with the redirects that it declares.
 *
 * They are followed here, since each has to be allowed before anybody is connected to.
 */

struct http_request {
    const struct http_operation *operation;
    struct text url, body;
    struct curl_slist *headers;        /* "Name: value" each */
    struct curl_slist *public_headers; /* those without secrets */
    int64_t deadline_ms;               /* of clock_mono_ms() */
};

void http_request_deinit(struct http_request *request);

/* Fills *reply, by the deadline at the latest. False: *answer is a failure. */
bool http_transfer(const struct http_handles *handles, const struct http_request *request,
                   struct http_reply *reply, struct answer *answer);
