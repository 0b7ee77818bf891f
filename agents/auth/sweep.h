#pragma once

#include "agents/runtime/work.h"

/*
 * sweep - what ends by itself, or ends for good only step by step: logins that have expired or were
 * revoked, with the sessions that they have opened, and the sockets of these, which gateways are
 * told to close with 4002 (store/revoke.lua).
 */

/* Looks for it. Each auth agent does so again and again. */
work_fn plan_sweep;

/* The same at once, beside this work, whose script has revoked something. */
void sweep_start(const struct work *work);
