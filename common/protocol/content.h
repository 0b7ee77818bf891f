#pragma once

#include <stddef.h>

#include "common/base/text.h"
#include "common/protocol/operations.h"
#include "common/protocol/response.h"

/*
 * content - how the server's frames of the content protocol look, and the codes of its errors
 * (content protocol, "Envelope"). Written by the agents, who finish each answer, and by the gateway
 * where it answers itself.
 *
 * An error code is status * 10000 + class * 100 + detail; the class is that of the operation.
 */

#define CONTENT_ID_MAX 255 /* bytes of a request's id: what AMQP carries as a message id */

/* Details that every class has, where it has the status at all. */
enum content_detail {
    CONTENT_PLAIN = 0,              /* 400, 413, 429, 503 */
    CONTENT_NOT_AUTHENTICATED = 10, /* 401; of login and reconnect: already authenticated */
    CONTENT_UNKNOWN = 20, /* 404: the document; 401 of login: the user, of reconnect: the session */
    CONTENT_UNKNOWN_VIEW = 21,
    CONTENT_UNKNOWN_PAGE = 22,
    CONTENT_DENIED = 30, /* 403: forbidden; 401 of login: the credential; 409: the version */
    CONTENT_UNFIT = 40,  /* 422: breaks the model, or does not apply */
    CONTENT_OTHER = 99   /* 500 */
};

/* The `cls` under which clients know an operation ("login" for `authenticate` and `connect`);
 * NULL: it is not part of the protocol. `o` may be NULL. */
const char *content_cls(const struct operation *o);

/* The operation that serves the `size` bytes of a request's `cls`, as clients send it, or NULL.
 * `login` begins with `authenticate`, `logout` with `logout`. */
const struct operation *content_operation(const char *cls, size_t size);

/* A whole result frame. `id` and `cls` may be NULL: absent. `data` is JSON text; NULL: absent. */
void content_add_result(struct text *out, const char *id, const char *cls, int status,
                        const char *data);

/* A whole error frame; its status is that of the code. `id` and `cls` may be NULL: absent. `msg`
 * is for the client's eyes: "Version Conflict". */
void content_add_error(struct text *out, const char *id, const char *cls, int code,
                       const char *msg);

/* Without an operation, or with one that is not part of the protocol, the class is 00. */
int content_code(const struct operation *o, int status, int detail);

/* The code that says the same as an ActiveStack one: -100 is 401xx10. */
int content_code_of(const struct operation *o, enum response_code code);

/* The status of that: 401. */
int content_status_of(enum response_code code);

/* Adds the text of such an error: "Format Error: <desc>". */
void content_add_msg(struct text *out, enum response_code code, const char *desc);
