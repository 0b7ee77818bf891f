#pragma once

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * redis_private - what the files of redis_link share, and nobody else may include.
 *
 *   redis_link.c  the link's life, and running a batch
 *   redis_url.c   where Redis is
 *   redis_call.c  putting a call together, reading its reply
 */

struct redis_call;

/* A URL taken apart; every text points into `url`, which the address owns. */
struct redis_address {
    char *url;
    const char *path; /* of a unix socket; NULL: host and port */
    const char *host;
    int port;
    const char *user;     /* NULL: the default user */
    const char *password; /* NULL: none */
    const char *database; /* a decimal number; NULL: 0 */
};

/* ERR_CONFIG: no URL of ours; *out is to be freed in any case. */
_must_check_ enum err redis_address_parse(const char *url, struct redis_address *out);
void redis_address_deinit(struct redis_address *address);

void redis_call_forget_reply(struct redis_call *call);
