#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * status - what a program says of itself over plain HTTP, for monitoring and health checks.
 *
 *   /healthz   200, or 503 and which part of the program stands still
 *   /readyz    200, or 503 and what is missing before it can serve
 *   /metrics   figures for Prometheus: those of the program and process_figures
 *
 * On a port of its own (settings status.host and status.port), which is nobody's but the
 * operator's: there is neither TLS nor a login.
 *
 * The only module that includes microhttpd.h. probe.h is the other end.
 *
 * Threads: the port has one thread, in which it asks its source; so do others that call
 *          status_page().
 */

/* A part of a program that has not moved for so long stands still: nothing that it waits for may
 * take as long. */
#define STATUS_STILL_MS 60000

/* What a program knows of itself. Each may be called from any thread, several at once. */
struct status_source {
    /* Adds a line for each part that stands still, "standing still: worker 2\n". */
    void (*stands_still)(const void *arg, struct text *out);
    /* Adds a line for each thing that it cannot serve without, "missing: broker\n". */
    void (*missing)(const void *arg, struct text *out);
    /* Adds the program's own figures, as metrics_print() does. */
    void (*figures)(const void *arg, struct text *out);
    const void *arg; /* borrowed */
};

/* Adds one of the pages. Returns its HTTP status; 404, and nothing added, if there is none. */
int status_page(const struct status_source *source, const char *path, struct text *body);

struct status;

/* Opens the port and answers from now on; *source is copied. With port 0 there is nothing to do,
 * and *out is NULL. ERR_IO: the address cannot be had, of which the log says why. */
_must_check_ enum err status_start(const char *host, uint16_t port,
                                   const struct status_source *source, struct status **out);

/* Nothing is asked of the source any more when this returns. NULL is allowed. */
void status_stop(struct status *s);

DEFINE_CLEANUP(struct status *, status_stop)
