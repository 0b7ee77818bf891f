#pragma once

#include "common/redis/redis_link.h"

/*
 * scripts - every step that the auth agent takes in Redis. Each file store/<name>.lua begins with
 * its arguments and what it returns; all can be run again without doing anything twice.
 */

extern const struct redis_script script_attempt;
extern const struct redis_script script_disconnect_auth;
extern const struct redis_script script_forgive;
extern const struct redis_script script_login;
extern const struct redis_script script_look_up;
extern const struct redis_script script_others_end;
extern const struct redis_script script_own_account;
extern const struct redis_script script_password;
extern const struct redis_script script_reauthenticate;
extern const struct redis_script script_register;
extern const struct redis_script script_sweep;
extern const struct redis_script script_user_change;
extern const struct redis_script script_user_remove;
extern const struct redis_script script_users;
extern const struct redis_script script_validate;
