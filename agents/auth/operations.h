#pragma once

#include "agents/runtime/work.h"

/*
 * operations of the auth agent - one plan function each, listed in main.c; the family is the file.
 */

/* authenticate.c (spec 8.6) */
work_fn plan_authenticate;
/* outside.c (spec 3.9) */
work_fn plan_oauth_code, plan_oauth_access_token;
/* services.c (spec 3.9) */
work_fn plan_service_providers, plan_test_call;
/* register.c (spec 3.9) */
work_fn plan_register;
/* users/own.c: what users do with their own accounts */
work_fn plan_change_password, plan_end_other_sessions, plan_delete_account;
/* users/operator.c, for activestack-ctl */
work_fn plan_inspect_users, plan_user_add, plan_user_change, plan_user_password, plan_user_remove;
/* tokens.c (spec 8.3) */
work_fn plan_reauthenticate, plan_validate_user_by_token, plan_disconnect_auth;
