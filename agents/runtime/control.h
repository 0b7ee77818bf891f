#pragma once

#include "agents/runtime/work.h"

/*
 * control - what agents have gateways do to a client's socket (gateway/conversation/control.h).
 */

#define CLOSE_TAKEN_OVER 4001
#define CLOSE_REVOKED    4002
#define CLOSE_ENDED      4005

/* Adds to work's messages one that closes the client's socket at this gateway, if it is there. */
void control_close(struct work *work, const char *client, const char *gateway, int code);
