#include <stdlib.h>
#include <string.h>

#include "agents/sync/jobs/jobs.h"

void jobs_start(const struct work *work, const struct redis_reply *fan_outs,
                const struct redis_reply *cascade)
{
    for (size_t i = 0; i < redis_count(fan_outs); i++)
        job_fan_out_start(work, redis_str(redis_item(fan_outs, i)));
    if (*redis_str(cascade))
        job_cascade_start(work, redis_str(cascade));
}

void job_spawn(const struct work *work, work_fn *first, const char *name)
{
    char *state = strdup(name);

    if (!state)
        err_out_of_memory();
    work_spawn(work, first, state, free);
}
