#pragma once

#include "agents/runtime/work.h"

/*
 * enter - what a login of the content protocol is answered with: the session's token (left to the
 * gateway, unless somebody has asked by hand), the entry points that the model names, and the
 * deployment's words to its clients (content protocol, "login"). Entry points that are missing are
 * made.
 */

/* After the client is bound. `pair` (copied) is that of the object that stands for the user, "":
 * none. */
enum work_step enter(struct work *work, const char *pair);
