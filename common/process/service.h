#pragma once

#include "common/base/err.h"
#include "common/process/status.h"

/*
 * service - what a program tells the service manager that has started it and named a socket for it
 * ($NOTIFY_SOCKET, sd_notify(3)); nothing where there is none.
 *
 *   READY=1      nothing is missing any more; once
 *   STATUS=      what stands still or is missing, else "ready"; whenever that changes
 *   WATCHDOG=1   while nothing stands still, and before $WATCHDOG_USEC are over: a program whose
 *                threads have come to a stop is ended and started again
 *   RELOADING=1  files are read again, until the next READY=1
 *   STOPPING=1   it ends
 *
 * The only module that includes sd-daemon.h.
 *
 * Threads: one of its own asks the source; the functions may be called from any thread. Each of
 *          them allows NULL.
 */

struct service;

/* Tells from now on; *source is copied. *out is NULL where nobody is to be told. */
_must_check_ enum err service_start(const struct status_source *source, struct service **out);

/* Files are being read again, and have been, for better or worse. */
void service_reloading(struct service *s);
void service_reloaded(struct service *s);

void service_stopping(struct service *s);

/* Nothing is asked of the source any more when this returns. */
void service_end(struct service *s);
