#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/amqp/msg.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/protocol/operations.h"

/*
 * request - a delivery, decoded: who asks for what.
 *
 * Identity comes from the headers that the gateway sets from its session. A message that was
 * published by hand (management UI) has none: then the body's clientId, userId, deviceId and token
 * count, unless the header `dialect` says that it is a frame of the content protocol. The body is
 * checked JSON and an object.
 *
 * A sealed body has been opened (works.c); the message still says that it was, and so the answer is
 * sealed too. It is overwritten with the request's end; what is copied out of it is the copier's to
 * wipe.
 *
 * Ownership: a request owns a copy of everything; spans and strings live as long as it does.
 */

struct request {
    const struct operation *operation;
    struct msg *msg;        /* the delivery; owned */
    struct json_span body;  /* in msg */
    const char *client;     /* who asks; never NULL; "" = unknown */
    const char *told;       /* who is answered: the client, or the name that it has by now */
    const char *user;       /* likewise */
    const char *device;     /* likewise */
    const char *address;    /* of a login or a return: the client's IP address; "" = not known */
    const char *message_id; /* NULL: none */
    int64_t accepted_ms;    /* when the gateway took it; else now */
    bool again;             /* its reply was not confirmed: nobody has asked just now */
    bool redelivered;       /* whoever had it before may have answered it, and died */
    struct text strings;    /* private: what was read from the body */
    struct text told_again; /* private: `told`, if it is another name than the client's */
};

/*
 * Decodes *m (borrowed, copied). ERR_MALFORMED: the body is no JSON object, or an envelope member
 * is of the wrong kind; `problem` says which, for the client. The request is then still good for an
 * answer (client and message_id as far as they are known).
 */
_must_check_ enum err request_read(struct request *request, const struct operation *operation,
                                   const struct msg *m, struct text *problem);

/* A delivery whose body is not looked at: the request's is an empty object, the delivery's own is
 * request->msg->body, and who asks is what the headers say. */
void request_keep(struct request *request, const struct operation *operation, const struct msg *m);
void request_deinit(struct request *request);

/* Does the client speak the content protocol? */
bool request_is_content(const struct request *request);

/* What its frame holds as `data`; absent: nothing. */
struct json_span request_data(const struct request *request);

/* A member of the body that must be a string of 1 to `max` bytes: an owned copy in *out, or
 * ERR_MALFORMED with `problem` ("theClassName: expected a string, found a number"). */
_must_check_ enum err request_string(const struct request *request, const char *name, size_t max,
                                     char **out, struct text *problem);
