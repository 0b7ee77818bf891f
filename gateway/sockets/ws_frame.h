#pragma once

#include <stddef.h>

#include "common/base/text.h"

/*
 * ws_frame - WebSocket frames as a server writes them (RFC 6455, 5.2): whole and not masked.
 */

void ws_frame_add_text(struct text *out, const char *at, size_t size);

/* `reason` is shorter than 124 bytes: a control frame has no room for more. */
void ws_frame_add_close(struct text *out, int code, const char *reason);
