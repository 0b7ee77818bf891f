#pragma once

#include "agents/runtime/work.h"
#include "common/protocol/close_codes.h"

/*
 * control - what agents have gateways do to a client's socket (gateway/conversation/control.h).
 */

/* Adds to work's messages one that closes the client's socket at this gateway, if it is there;
 * `code` is one of close_codes.h with a reason. */
void control_close(struct work *work, const char *client, const char *gateway, int code);

/* The same for each of a script's list of client, gateway. */
void control_close_all(struct work *work, const struct redis_reply *list, int code);
