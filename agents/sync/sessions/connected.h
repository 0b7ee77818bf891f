#pragma once

#include "agents/runtime/work.h"

/*
 * connected - the ConnectResponse, which answers connect and reconnect (spec 3.3).
 */

/* `refusal` NULL: the client is bound. Else it is not, which a null clientId says (spec 13, A3),
 * and data says why: plain text without quotes. `after` as for work_reply(). */
enum work_step connected_answer(struct work *work, const char *refusal, work_fn *after);
