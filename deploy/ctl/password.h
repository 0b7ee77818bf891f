#pragma once

#include <stdbool.h>

#include "common/base/text.h"

/*
 * password - how an operator gives a password: at the terminal, twice and unseen, or on standard
 * input; never as an argument, which everybody could read. It leaves the command only as its hash.
 */

/* Adds the argon2id hash. False: told on standard error, in the name of `command`. */
_must_check_ bool password_read_hash(const char *command, struct text *hash);
