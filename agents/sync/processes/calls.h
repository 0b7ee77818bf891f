#pragma once

#include "agents/runtime/work.h"

/*
 * calls - calls of processes that are under way (store/call.lua; README beside this header).
 */

/* A call whose time is over, as the poll has found it: ends it with -116, unless it has ended. */
void calls_overdue_start(const struct work *work, const char *call);
