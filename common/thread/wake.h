#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * wake - an eventfd: one thread sleeps on wake_fd() in poll(), others call wake_signal().
 *
 * Signals add up to one wake-up; wake_drain() before looking at the queue loses none.
 */

struct wake;

_must_check_ enum err wake_create(struct wake **out);
void wake_destroy(struct wake *w);
int wake_fd(const struct wake *w);
void wake_signal(struct wake *w); /* any thread; async-signal-safe */
void wake_drain(struct wake *w);
DEFINE_CLEANUP(struct wake *, wake_destroy)
