#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

/*
 * ws - a WebSocket client that costs next to nothing, for making load.
 *
 * It trusts the server: whatever is not as expected ends the program. Connecting, logging in and
 * writing block; reading takes what is there. Its mask is zero, which the protocol allows and which
 * saves the work.
 */

struct ws {
    int fd;
    struct text in, out; /* bytes that have arrived, and that are not sent yet */
    size_t at;           /* of `in`: taken up to here */
    bool open;           /* the handshake is over */
};

/* Connects to the gateway on 127.0.0.1. ws_dial() does not wait for the handshake: frames may be
 * added and taken as soon as ws_is_open(). */
void ws_open(struct ws *ws, unsigned port);
void ws_dial(struct ws *ws, unsigned port);
bool ws_is_open(struct ws *ws);
void ws_close(struct ws *ws);

/* Logs in as the developer (setting auth.dangerous_dev_login), which costs next to nothing; the
 * ConnectResponse has arrived when it returns. The signed session is left in `session`, as JSON,
 * unless that is NULL. */
void ws_login(struct ws *ws, struct text *session);

/* Is the frame a signed session? Then it is left in `session`. */
bool ws_take_session(const char *frame, size_t size, struct text *session);

/* Adds a text frame to what is to be sent; ws_flush() sends it all in one go. */
void ws_add(struct ws *ws, const char *text, size_t size);
void ws_flush(struct ws *ws);

/* Takes in what has arrived, without waiting. */
void ws_read(struct ws *ws);

/* The next text frame of what has arrived, or NULL; borrowed until the next call of ws_read().
 * Behind it stands what came next, and at the end a NUL. Pings are answered on the way. */
const char *ws_next(struct ws *ws, size_t *size);

/* Does the frame contain `text`? Returns what follows it, or NULL. */
const char *ws_find(const char *frame, size_t size, const char *text);
