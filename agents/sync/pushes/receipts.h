#pragma once

#include <stdint.h>

#include "agents/runtime/work.h"

/* receipts - what all kinds of receipts have in common. */

/* For how long redelivery pauses, 0 for not at all: receipts that have waited for long are a
 * backlog, which redelivery would feed. */
int64_t receipts_pause_ms(const struct work *work);
