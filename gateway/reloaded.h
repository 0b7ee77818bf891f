#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "gateway/door/rate.h"
#include "gateway/door/rules.h"

/*
 * reloaded - those of the gateway's settings that may change while it runs (the rows of settings.c
 * that are RELOADED), ready for use.
 *
 * Threads: made by the thread that has read the settings, then of the socket thread.
 */

struct settings;

struct reloaded {
    struct door_rules door;
    size_t max_frame_bytes;
    struct rate requests; /* of one client */
    int64_t login_timeout_ms;
};

/* ERR_CONFIG: mistakes are in `problems`, a line each. */
_must_check_ enum err reloaded_read(const struct settings *s, struct reloaded **out,
                                    struct text *problems);

/* NULL is allowed. */
void reloaded_destroy(struct reloaded *r);

DEFINE_CLEANUP(struct reloaded *, reloaded_destroy)
