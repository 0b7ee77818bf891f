#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * address - where somebody comes from: an IP address, without its port; and networks of them.
 *
 * An IPv4 address is kept as the IPv6 address that stands for it (::ffff:192.0.2.1), so a client is
 * the same whichever kind of socket it came in on. All zero: not known.
 */

struct address {
    unsigned char bytes[16];
};

#define ADDRESS_CHARS 46 /* of one in print, with its NUL */

/* Of the other end of a socket; not known if it is none of IP. */
struct address address_of_peer(int fd);

/* Reads 192.0.2.1 or 2001:db8::1, `size` bytes. False: it is neither. */
bool address_read(const char *at, size_t size, struct address *out);

/* As address_read() takes it; "" if it is not known. */
void address_print(const struct address *a, char out[ADDRESS_CHARS]);

/* Whom limits for one address are for: the address, of IPv6 its /64, of which a single subscriber
 * usually has all. */
struct address address_holder(const struct address *a);

bool address_equals(const struct address *a, const struct address *b);

/* Networks: 10.0.0.0/8, 2001:db8::/32, or single addresses. A zeroed one is valid, and empty. */
struct networks {
    struct network *at;
    size_t count;
};

/* Reads a comma list; "" is an empty one. ERR_CONFIG, with what is wrong in `problem`. */
_must_check_ enum err networks_read(const char *list, struct networks *out, struct text *problem);
void networks_deinit(struct networks *n);

bool networks_have(const struct networks *n, const struct address *a);
