#pragma once

#include <stdbool.h>

#include "agents/runtime/work.h"

/*
 * attempts - how many attempts to log in may fail, on one account and from one address, within some
 * time (auth.max_failed_logins...). Who is over is refused without a look at what they bring, be
 * there such an account or not. IPv6 addresses of one /64 count as one.
 *
 *     attempts_begin(work, provider, name);            an attempt counts as failed at first
 *     return work_call(work, attempted);
 *     ...
 *     if (!attempts_allow(work, &step)) return step;   now look at the credential
 *     ...
 *     attempts_forgive(work, provider, name);          it was right
 */

/* Builds the call. `name`: whose account it is said to be; "": nobody's, only the address counts.
 */
void attempts_begin(struct work *work, const char *provider, const char *name);

/* After that call: have too many failed? */
bool attempts_are_too_many(const struct work *work);

/* The same for who answers as logins are answered. False: *step is what follows. */
bool attempts_allow(struct work *work, enum work_step *step);

/* Takes the attempt back, beside this work. */
void attempts_forgive(const struct work *work, const char *provider, const char *name);
