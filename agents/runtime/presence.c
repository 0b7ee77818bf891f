#include "agents/runtime/presence.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/indexes.h"
#include "agents/runtime/scripts.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/secret.h"

#define SILENT_TIMES 3 /* whoever has missed so many turns is gone */

struct presence {
    char name[350]; /* of this process alone: agents may share a name */
    atomic_int_least64_t next_ms;
    atomic_bool warned;
};

struct presence *presence_create(const struct agent *agent)
{
    struct presence *presence = calloc(1, sizeof(*presence));
    char id[SECRET_ID_CHARS + 1];

    if (!presence)
        err_out_of_memory();
    secret_random_id(id);
    snprintf(presence->name, sizeof(presence->name), "%s %.8s", agent->name, id);
    return presence;
}

void presence_destroy(struct presence *presence)
{
    free(presence);
}

int64_t presence_patience_ms(const struct agent *agent)
{
    return agent->proc.settings.agent_presence_ms * SILENT_TIMES;
}

/* Whose turn is it? One of the workers'. */
static bool is_due(const struct work *work)
{
    struct presence *presence = work->agent->presence;
    int64_t now = clock_mono_ms(), next = atomic_load(&presence->next_ms);

    return now >= next &&
           atomic_compare_exchange_strong(&presence->next_ms, &next,
                                          now + work->agent->proc.settings.agent_presence_ms);
}

static enum work_step look_for_work(struct work *work)
{
    work_fn *poll = work->agent->definition->poll;

    return poll ? poll(work) : WORK_DONE;
}

static enum work_step told(struct work *work);

static enum work_step tell(struct work *work, const char *model_text)
{
    const struct agent *agent = work->agent;

    redis_call_begin(&work->call, &script_presence);
    redis_call_arg(&work->call, agent->presence->name);
    redis_call_arg(&work->call, model_digest(agent->model));
    redis_call_arg(&work->call, model_text);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg_i64(&work->call, presence_patience_ms(agent));
    indexes_add_names(&work->call, agent->model);
    return work_call(work, told);
}

static enum work_step told(struct work *work)
{
    const struct agent *agent = work->agent;
    const char *applied = redis_str(redis_item(work->call.reply, 0));

    if (!*applied && !redis_is_error(work->call.reply))
        return tell(work, model_text(agent->model));
    if (*applied && strcmp(applied, model_digest(agent->model)) != 0 &&
        !atomic_exchange(&agent->presence->warned, true))
        log_warn("model.differs", LOG_STR("applied", applied),
                 LOG_STR("served", model_digest(agent->model)),
                 LOG_STR("see", "activestack-ctl model check"));
    return look_for_work(work);
}

enum work_step presence_poll(struct work *work)
{
    return is_due(work) ? tell(work, "") : look_for_work(work);
}
