#pragma once

#include "common/process/status.h"
#include "gateway/gateway.h"

/*
 * pages - what the gateway answers to plain HTTP (contract, "Addresses"): on its own port to
 * whoever comes, and on the status port.
 */

/* Adds the page at `path` to *body. Returns the HTTP status. */
int pages_get(const struct gateway *g, const char *path, struct text *body);

/* Those pages that the status port has, too. */
struct status_source pages_source(const struct gateway *g);
