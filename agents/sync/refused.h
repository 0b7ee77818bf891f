#pragma once

#include <stdbool.h>

#include "agents/runtime/work.h"

/*
 * refused - what every answer of the sync agent looks at first: has Redis failed, and did the
 * script know the client?
 */

/* True: it failed ("0", with `failure` for the client's eyes) or the client is unknown (-100), and
 * *step is the answer. */
bool refused(struct work *work, const char *failure, enum work_step *step);
