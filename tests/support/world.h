#pragma once

#include "common/process/settings.h"
#include "gateway/gateway.h"

/*
 * world - a gateway's socket thread without sockets and broker, for unit tests: what clients say is
 * put in, what they are sent and what is ordered to be published is taken out.
 */

struct world {
    struct gateway g;
    struct settings settings;
};

void world_init(struct world *w);
void world_deinit(struct world *w);

/* A client whose socket was opened, of ActiveStack or of the content protocol; gone with
 * world_close(). */
struct client *world_open(struct world *w);
struct client *world_open_content(struct world *w);
void world_close(struct world *w, struct client *c);

/* What the client says. */
void world_say(struct world *w, struct client *c, const char *frame);

/* The oldest frame that waits for the client; NULL: none. The caller frees it. */
char *world_hear(struct world *w, struct client *c);
void world_skip(struct world *w, struct client *c, size_t frames);

/* The oldest message that was ordered to be published; NULL: none. The caller's. One that was
 * sealed has been opened, and says still that it was: its reply is sealed, too. */
struct msg *world_published(struct world *w);

/* An agent's reply to it; `reason` may be NULL. */
void world_reply(struct world *w, const struct msg *request, const char *body, const char *reason);

/* The same, which says that the client has been bound for this user. */
void world_reply_bound(struct world *w, const struct msg *request, const char *body,
                       const char *user);
