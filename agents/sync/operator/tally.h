#pragma once

#include "agents/runtime/work.h"

/*
 * tally - reads what the store tells monitoring (agents/sync/metrics.h), every status.store_ms, if
 * there is a status port to tell it at.
 *
 * All sync agents read the same.
 */

/* Begins such a reading beside `work`, if it is time for one. */
void tally_if_due(const struct work *work);
