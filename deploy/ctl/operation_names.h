#pragma once

#include "common/protocol/operations.h"

/*
 * operation_names - words for what the table of operations says.
 */

/* "sync", "auth"; "-": nobody. */
const char *operation_agent_name(enum operation_agent agent);

/* Who sends it: "client", "gateway", ... */
const char *operation_origin_name(enum origin origin);
