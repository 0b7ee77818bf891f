#pragma once

#include <stdint.h>

#include "common/protocol/response.h"
#include "gateway/gateway.h"

/*
 * login - how a client comes in (spec 1.6, 1.7): its login or return, the gateway's own
 * ConnectRequest or ReconnectRequest, the farewell of a closed socket; and what happens in time to
 * clients that do not log in, and to signed sessions that grow old. How it logs out: logout.h.
 *
 * A return is answered in parts: replies with the reason "more" tell what was missed, and the same
 * request is sent again each time the client's queue has become empty, until the ConnectResponse.
 */

/* How long clients have to log in; of those that are still to, too. */
void login_set_timeout(struct gateway *g, int64_t timeout_ms);

/* A new client, or one that was logged out again: it has to log in within its time. */
void login_expect(struct gateway *g, struct client *c);

/* The first frame, or the special message connect: the client learns its client id. */
void login_connect(struct gateway *g, struct client *c);

/* A client that is not logged in and whose session is that of an earlier connection now. Its
 * messageId, which may be NULL, is echoed in the answer. */
void login_return(struct gateway *g, struct client *c, const char *message_id);

/* All that the client was sent has left. */
void login_emptied(struct gateway *g, struct client *c);

/* The special message hibernate: the session gives up its binding, the socket stays open. */
void login_hibernate(struct gateway *g, struct client *c);

/* A client whose login has ended, and whose socket stays. */
void login_again(struct gateway *g, struct client *c);

/* Replies, with what they lead to, and their failure. The request is ended by the caller. */
void login_answered(struct gateway *g, struct open_request *r, const struct msg *m);
void login_bound(struct gateway *g, struct open_request *r, const struct msg *m);
void login_not_bound(struct gateway *g, struct open_request *r, enum response_code code,
                     const char *desc);

/* Of the dialects: enters with what the agents' answer to a login grants; its ConnectRequest has
 * this messageId, which may be NULL. False: it grants nothing. */
bool login_take(struct gateway *g, struct client *c, const struct msg *m, const char *message_id);

/* Does this reply say that the agents have bound its client here? Then it names the user, or tells
 * a part. */
bool login_has_bound(const struct msg *m);

/* Such a reply, for which nobody waits any more: the binding is undone, at once or when the client
 * goes. */
void login_bound_too_late(struct gateway *g, const struct msg *m);

/* The socket is closed: tells the agents, and takes the client out of all lists. */
void login_farewell(struct gateway *g, struct client *c);

/* Every few moments: closes clients that have not logged in, renews signed sessions. */
void login_tick(struct gateway *g, int64_t now_ms);
