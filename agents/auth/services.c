#include "agents/auth/answer.h"
#include "agents/auth/operations.h"
#include "agents/auth/providers/current.h"
#include "agents/runtime/agent.h"

/* What anybody may ask, and what tells nothing of anybody (spec 3.1). */

/* ---- getAllServiceProviders: where one can log in ---- */

enum work_step plan_service_providers(struct work *work)
{
    _cleanup_(providers_unrefp) struct providers *providers = current_ref(work->agent->own);
    _cleanup_(text_deinitp) struct text ids = {0};

    providers_add_ids(providers, &ids);
    return answer(work, AUTH_SUCCESS, ids.at);
}

/* ---- testCall: somebody is there ---- */

enum work_step plan_test_call(struct work *work)
{
    return answer(work, AUTH_SUCCESS, "null");
}
