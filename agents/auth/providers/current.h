#pragma once

#include "agents/auth/providers/provider.h"

/*
 * current - the providers that are open now, which a reload (SIGHUP) replaces: their files are read
 * again. Who logs in meanwhile goes on with those that they have begun with.
 *
 * Threads: any; only current_destroy() comes after all others.
 */

struct current;

/* As providers_open(). */
_must_check_ enum err current_create(const struct settings *settings, struct current **out,
                                     struct text *problems);

/* After the last work; NULL is allowed. */
void current_destroy(struct current *c);

/* Opens them anew, all or none: on failure those that were there stay, and all mistakes are in
 * `problems`. */
_must_check_ enum err current_reload(struct current *c, const struct settings *settings,
                                     struct text *problems);

/* Those of now, for as long as the caller needs them: providers_unref(). */
struct providers *current_ref(struct current *c);
