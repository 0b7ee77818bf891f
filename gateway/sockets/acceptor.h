#pragma once

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * acceptor - a listening TCP socket, and the connections that come in on it.
 *
 * Several gateways may listen on one port (SO_REUSEPORT): the kernel spreads the connections.
 */

struct acceptor {
    int fd;
    int spare_fd; /* given up for a moment when descriptors run out */
    uint16_t port;
};

/* Listens on `host` and `port` (0: any; a->port says which). ERR_IO: not possible, errno says why;
 * ERR_CONFIG: no such host. */
_must_check_ enum err acceptor_open(const char *host, uint16_t port, struct acceptor *a);
void acceptor_close(struct acceptor *a);

/* The next connection, non-blocking and without delay, or -1 when there is none now. When there
 * are no more descriptors the connection is dropped: left alone it would keep the loop spinning. */
int acceptor_next(struct acceptor *a);
