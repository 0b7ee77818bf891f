#pragma once

#include "gateway/gateway.h"

/*
 * pages - what the gateway answers to plain HTTP (contract, "Addresses").
 */

/* Adds the page at `path` to *body. Returns the HTTP status. */
int pages_get(const struct gateway *g, const char *path, struct text *body);
