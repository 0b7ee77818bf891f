#include <curl/curl.h>

#include "agents/auth/operations.h"
#include "agents/auth/person.h"
#include "agents/auth/providers/current.h"
#include "agents/auth/sweep.h"
#include "agents/runtime/agent.h"
#include "agents/runtime/http/http_exchange.h"
#include "common/base/log.h"
#include "common/protocol/seal.h"

static const struct handler handlers[] = {
    // clang-format off
    { "authenticate",                 plan_authenticate           }, /* authenticate.c   */
    { "authenticateOAuthAccessToken", plan_oauth_access_token     }, /* outside.c        */
    { "authenticateOAuthCode",        plan_oauth_code             }, /* outside.c        */
    { "changePassword",               plan_change_password        }, /* users/own.c      */
    { "deleteAccount",                plan_delete_account         }, /* users/own.c      */
    { "disconnectAuth",               plan_disconnect_auth        }, /* tokens.c         */
    { "endOtherSessions",             plan_end_other_sessions     }, /* users/own.c      */
    { "getAllServiceProviders",       plan_service_providers      }, /* services.c       */
    { "inspectUsers",                 plan_inspect_users          }, /* users/operator.c */
    { "reauthenticate",               plan_reauthenticate         }, /* tokens.c         */
    { "register",                     plan_register               }, /* register.c       */
    { "testCall",                     plan_test_call              }, /* services.c       */
    { "userAdd",                      plan_user_add               }, /* users/operator.c */
    { "userChange",                   plan_user_change            }, /* users/operator.c */
    { "userPassword",                 plan_user_password          }, /* users/operator.c */
    { "userRemove",                   plan_user_remove            }, /* users/operator.c */
    { "validateUserByToken",          plan_validate_user_by_token }, /* tokens.c         */
    // clang-format on
};

/* Model and providers are both looked at, so that all mistakes are told at once. */
static enum err load(struct agent *agent, struct text *problems)
{
    struct current *current = NULL;
    enum err person_error = person_check(model_anchor(agent->model), problems);
    enum err e;

    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        err_out_of_memory();
    e = current_create(&agent->proc.settings, &current, problems);
    agent->own = current;
    agent->seal = seal_create(agent->proc.settings.auth_seal_secret,
                              agent->proc.settings.auth_seal_secret_previous);
    if (agent->proc.settings.auth_dangerous_dev_login)
        log_warn("auth.dangerous_dev_login",
                 LOG_STR("means", "whoever sends DEV as code or access token is logged in"));
    return e ? e : person_error;
}

static void unload(struct agent *agent)
{
    seal_destroy(agent->seal);
    current_destroy(agent->own);
    curl_global_cleanup();
}

/* The files of the providers; which ones there are stays, since threads have been started for them.
 */
static enum err reload(struct agent *agent, struct text *problems)
{
    return current_reload(agent->own, &agent->proc.settings, problems);
}

/* ---- Threads that ask providers elsewhere ---- */

static unsigned threads_aside(const struct agent *agent)
{
    _cleanup_(providers_unrefp) struct providers *providers = current_ref(agent->own);

    return providers_are_outside(providers) ? (unsigned)agent->proc.settings.auth_oauth_threads : 0;
}

static void *open_aside(void)
{
    return http_handles_create();
}

static void close_aside(void *thread)
{
    http_handles_destroy(thread);
}

static const struct agent_definition auth_agent = {
    .program = PROGRAM_AUTH,
    .serves = AGENT_AUTH,
    .help = "Verifies who logs in, keeps users and their tokens.",
    .handlers = handlers,
    .handler_count = ARRAY_SIZE(handlers),
    .poll = plan_sweep,
    .threads_aside = threads_aside,
    .open_aside = open_aside,
    .close_aside = close_aside,
    .load = load,
    .unload = unload,
    .reload = reload,
};

int main(int argc, char **argv)
{
    return agent_main(&auth_agent, argc, argv);
}
