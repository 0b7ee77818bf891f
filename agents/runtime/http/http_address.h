#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * http_address - whom an agent may talk to by HTTP: which hosts a server may redirect it to, and
 * which addresses are not of the public Internet.
 */

/* Anything but a public unicast address: private, loopback, link-local, shared, multicast, reserved
 * ones, and those of IPv6 that stand for such a one of IPv4. Other families than these two count as
 * private. */
bool http_address_is_private(const struct sockaddr *address);

/* Where a URL leads to. */
struct http_origin {
    bool tls;
    char *host;
    char *port; /* NULL: the scheme's own */
};

/* ERR_MALFORMED: no URL of http or https with a host and without a user. */
_must_check_ enum err http_origin_parse(const char *url, struct http_origin *out);
void http_origin_deinit(struct http_origin *origin);

/* The same host and port, whatever the schemes; each scheme's own port is the same. */
bool http_origin_equal(const struct http_origin *a, const struct http_origin *b);
