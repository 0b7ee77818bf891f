#pragma once

#include "agents/runtime/work.h"

/*
 * transaction - processTransaction: what its response has before its result, also when it is
 * refused (write.c).
 */

/* Adds the request's transactionId, null where it has none. */
void transaction_add(const struct work *work, struct text *out);
