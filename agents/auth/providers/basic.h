#pragma once

#include <stdbool.h>

#include "common/redis/redis_link.h"

/*
 * basic - accounts whose passwords we keep ourselves, as others than its provider see them.
 */

#define BASIC_ID "activestack:basic" /* the provider's; also in store/user.lua */

/* 1 to 255 bytes without colon and control characters? */
bool basic_is_user_name(const char *name);

/* Adds the arguments of register.lua that say whose the new account is: a new user, with these
 * roles (",editor,"; "": none). */
void basic_add_user(struct redis_call *call, bool email_verified, const char *roles);
