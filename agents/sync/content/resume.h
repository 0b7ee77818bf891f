#pragma once

#include "agents/runtime/work.h"

/* resume - "reconnect" of the content protocol: a token has its session back, bound to the fresh
 * client id. What the session has missed follows the result at once, as a block (notify.h). */
enum work_step content_resume(struct work *work);
