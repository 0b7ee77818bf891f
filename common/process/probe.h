#pragma once

#include <stdint.h>

/*
 * probe - asks a running program whether it is ready, as its health check: --probe of that program,
 * with the same settings.
 */

enum probe_result {
    PROBE_READY = 0, /* exit codes of --probe */
    PROBE_NOT_READY = 1,
    PROBE_SILENT = 2 /* nobody answers, or there is no status port */
};

/* Asks the status port (status.h) there for /readyz and prints what it answers on standard output,
 * or why it has none on standard error. Takes a few seconds at most. */
enum probe_result probe_run(const char *host, uint16_t port);
