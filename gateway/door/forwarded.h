#pragma once

#include "common/base/address.h"

/*
 * forwarded - where a client is that comes through proxies, by X-Forwarded-For.
 *
 * Each proxy adds the address that it was reached from, behind what it was told:
 *
 *     X-Forwarded-For: 192.0.2.1, 10.0.0.7
 *
 * So what the trusted ones have added stands at the right end, and the rightmost address that is
 * not a trusted proxy's is the client's; what stands before it anybody can have made up.
 * (Forwarded, RFC 7239, is not read: of its lines the library gives only the first, which may be
 * the client's.)
 */

/* The client behind `peer`, if that is a trusted proxy; else `peer`. `value` is the header, all of
 * its lines with commas between them, or NULL. Where a trusted proxy does not say an address, the
 * client is that proxy. */
struct address forwarded_client(const struct networks *trusted, const struct address *peer,
                                const char *value);
