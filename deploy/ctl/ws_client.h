#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * ws_client - a small WebSocket client (RFC 6455) over plain TCP, for a person at a terminal.
 *
 * Writing blocks; reading is driven by the caller, who polls ws_client_fd(), calls
 * ws_client_read() when it is readable, and then takes messages until there are none. Pings are
 * answered inside. One thread.
 */

struct ws_client;

enum ws_kind {
    WS_NONE,   /* nothing complete is there */
    WS_TEXT,   /* a text or binary message */
    WS_CLOSED, /* the server's close frame: `code` (1005: it had none), the reason in `text` */
    WS_BROKEN  /* the server's bytes make no sense */
};

struct ws_message {
    enum ws_kind kind;
    uint16_t code;
    struct text text; /* the caller's to text_deinit() */
};

/*
 * Connects to ws://host[:port][/path]; without a path, to `path`. ERR_MALFORMED: not such a URL;
 * ERR_AWAY: nobody listens; ERR_REFUSED: the server speaks no WebSocket there. `why` gets a line.
 */
_must_check_ enum err ws_client_open(const char *url, const char *path, struct text *why,
                                     struct ws_client **out);
void ws_client_destroy(struct ws_client *c);

int ws_client_fd(const struct ws_client *c);

/* ERR_AWAY: the connection is lost. */
_must_check_ enum err ws_client_send(struct ws_client *c, const char *bytes, size_t size);
_must_check_ enum err ws_client_send_close(struct ws_client *c, uint16_t code);

/* Takes in what has arrived; blocks when nothing has. ERR_AWAY: the connection is lost. */
_must_check_ enum err ws_client_read(struct ws_client *c);

/* The next complete message of what was read. */
void ws_client_next(struct ws_client *c, struct ws_message *out);
