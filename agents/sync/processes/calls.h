#pragma once

#include "agents/runtime/work.h"

/*
 * calls - calls of processes that are under way (store/call.lua).
 */

/* A call of the server's own, for the value of a watcher. All is borrowed. */
struct own_call {
    const char *process;   /* as it is declared */
    const char *arguments; /* JSON */
    const char *user;      /* who watches, where that makes a difference; else "" */
    const char *watcher;   /* what watchers_answered() is told */
};

/* Asks beside this work. Whether a worker answers, fails, is absent or too slow: it comes to
 * watchers_answered(), perhaps of another agent, perhaps twice. */
void calls_ask(const struct work *work, const struct own_call *call);

/* A call whose time is over, as the poll has found it: ends it with -116, unless it has ended. */
void calls_overdue_start(const struct work *work, const char *call);
