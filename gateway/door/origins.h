#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * origins - whose pages may open a WebSocket: browsers say in the header Origin which site the page
 * that asks comes from, and only they do (RFC 6455, 10.2; RFC 6454).
 *
 * A list has origins, scheme://host[:port] and nothing behind it; "self", for pages of the very
 * host and port that is asked, with TLS or without (there may be a proxy, and some libraries always
 * say http); or "*", for all. Origins are the same if they differ in capitals or in the default
 * port of http and https alone. "null", which any page can have, is none.
 */

struct origins {
    char **at; /* in lower case, without default ports */
    size_t count;
    bool any, self;
};

/* Reads a comma list into a zeroed *out. ERR_CONFIG, with what is wrong in `problem`. */
_must_check_ enum err origins_read(const char *list, struct origins *out, struct text *problem);
void origins_deinit(struct origins *o);

/* `host` is the request's header Host, or NULL. */
bool origins_allow(const struct origins *o, const char *origin, const char *host);
