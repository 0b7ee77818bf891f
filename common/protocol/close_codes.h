#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * close_codes - the codes with which the gateway closes WebSockets (contract, "Close codes").
 *
 * One table says all there is to know of each: programs use its codes, and the page of codes is
 * printed from it.
 */

enum close_code {
    CLOSE_NORMAL = 1000,
    CLOSE_DRAIN = 1001,
    CLOSE_BINARY = 1003,
    CLOSE_NOT_JSON = 1007,
    CLOSE_BAD_SHAPE = 1008,
    CLOSE_TOO_LARGE = 1009,
    CLOSE_OVERLOAD = 1013,
    CLOSE_TAKEN_OVER = 4001,
    CLOSE_REVOKED = 4002,
    CLOSE_TOO_SLOW = 4003,
    CLOSE_NO_LOGIN = 4004,
    CLOSE_ENDED = 4005
};

struct close_row {
    enum close_code code;
    const char *why;
    const char *come_back; /* what the client does then */
    const char *reason; /* of the closings that agents ask for: what the client is told; or NULL */
};

extern const struct close_row close_rows[];
extern const size_t close_row_count;

/* The row of a closing that agents may ask for, or NULL. */
const struct close_row *close_row_of_agents(int64_t code);
