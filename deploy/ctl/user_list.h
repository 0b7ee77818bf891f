#pragma once

#include "deploy/ctl/asking.h"

/*
 * user_list - what "activestack-ctl user list" prints: a line for each user, page by page as the
 * agents tell of them.
 */

/* `user`: that one alone, by any of the names that `user` takes; NULL: all. Returns the exit code;
 * CTL_NO: there is no such user. */
int user_list_print(struct asking *asking, const char *user);
