#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/address.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "gateway/door/origins.h"
#include "gateway/door/rate.h"

/*
 * rules - what the operator says of who may come in; the door keeps them (door.h).
 */

struct settings;

struct door_rules {
    struct networks trusted; /* proxies */
    struct origins origins;
    bool require_origin;
    size_t most_clients;  /* of one address; 0: any number */
    struct rate arrivals; /* of the sockets of one address */
    struct rate upgrades_of_one, upgrades_of_all;
};

/* Reads them into a zeroed *out. ERR_CONFIG: mistakes are in `problems`, a line each. */
_must_check_ enum err door_rules_read(const struct settings *s, struct door_rules *out,
                                      struct text *problems);
void door_rules_deinit(struct door_rules *r);
