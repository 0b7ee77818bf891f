#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/protocol/operations.h"
#include "common/protocol/response.h"
#include "gateway/gateway.h"

/*
 * requests - sends requests to the agents, and ends them.
 *
 * While a client's login is being completed (BINDING), its requests that need a login are held,
 * in their order, and go out when the binding is known. So are notifications of the content
 * protocol (subscribe, revoke) while an earlier one of the client is under way.
 *
 * What the auth agents are asked leaves sealed (see seal): it may hold passwords and tokens.
 */

struct request {
    const struct operation *operation;
    enum purpose purpose;
    const char *message_id; /* or NULL */
    const char *device;     /* header; NULL: the session's */
    bool wants_ack;
    const char *body;
    size_t size;
};

/* Opens a request that is not published by itself. ERR_FULL: the client has too many. */
_must_check_ enum err requests_open(struct gateway *g, struct client *c, const struct request *r,
                                    struct open_request **out);

/* Opens and publishes (or holds) a request of this client; everything is copied. ERR_FULL: the
 * client has too many open; ERR_AWAY: too many wait for the broker. */
_must_check_ enum err requests_start(struct gateway *g, struct client *c, const struct request *r);

/* Publishes something that no reply is awaited for, in the name of a session that may be gone. */
void requests_publish_only(struct gateway *g, const struct operation *o, const struct msg *identity,
                           const struct text *body);

/* Asks the agents something in the gateway's own name, for no one client. ERR_AWAY. */
_must_check_ enum err requests_ask(struct gateway *g, const char *operation, enum purpose purpose,
                                   const struct text *body);

/* The same, for `count` requests that were opened, but not published: on success the array of their
 * numbers is taken over. */
_must_check_ enum err requests_ask_for(struct gateway *g, const struct request *r,
                                       uint64_t **members, size_t count);

/* Tells the agents something that may be lost, and that no reply is awaited for. */
void requests_tell(struct gateway *g, const struct operation *o, const struct text *body);

/* The code and the text that say to a client why requests_start() failed. */
enum response_code requests_code(enum err e);
const char *requests_reason(enum err e);

/* The binding is known: what was held goes out. */
void requests_release(struct gateway *g, struct client *c);

/* The login could not be completed: what was held is answered with this error. */
void requests_refuse_held(struct gateway *g, struct client *c, enum response_code code,
                          const char *desc);

/* Is a request with this purpose open? */
bool requests_has(const struct client *c, enum purpose purpose);

/* Its client is told that it is safe, if it asked for that and has not been told. */
void requests_acknowledge(struct gateway *g, struct open_request *r);

/* The request has been answered, or needs no answer. */
void requests_end(struct gateway *g, struct open_request *r);
void requests_end_all(struct gateway *g, struct client *c);
