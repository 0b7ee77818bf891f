#pragma once

#include "agents/runtime/http/http_exchange.h"
#include "agents/sync/connectors/http_operation.h"
#include "agents/sync/host/connector.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

/*
 * http_answer - what a server answered, as the answer of a call; and its failures (spec 8.8). Their
 * words are for the client: they never have anything of a URL, a header or a body in them.
 */

enum http_failure {
    HTTP_INVALID_URI = 4002,
    HTTP_UNREACHABLE = 4003,   /* or it refused */
    HTTP_UNPROCESSABLE = 4004, /* it answered something else than what is declared */
};

/* Makes *answer a failure. */
void http_fail(struct answer *answer, enum http_failure failure, const char *format, ...)
    _printf_(3, 4);

/* Makes the reply the answer, or a failure: of any status but 2xx, of a body that is not of the
 * type that the operation declares. An empty body is null, unless text is declared. */
void http_answer(const struct http_operation *operation, const struct http_reply *reply,
                 struct answer *answer);
