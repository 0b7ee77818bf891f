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
/* tokens.c (spec 8.3) */
work_fn plan_reauthenticate, plan_validate_user_by_token, plan_disconnect_auth;
