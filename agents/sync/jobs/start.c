#include <stdlib.h>
#include <string.h>

#include "agents/runtime/control.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/watchers/watchers.h"

void jobs_start(const struct work *work, const struct redis_reply *jobs,
                const struct redis_reply *cascade)
{
    for (size_t i = 0; i < redis_count(jobs); i++) {
        const char *job = redis_str(redis_item(jobs, i));

        if (*job == '~')
            watchers_touch_start(work, job + 1);
        else if (*job == '^')
            job_review_paths_start(work, job + 1);
        else
            job_fan_out_start(work, job);
    }
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

#define CLIENT_PARTS 2 /* client, gateway */

void jobs_close_overwhelmed(struct work *work, const struct redis_reply *list)
{
    for (size_t i = 0; i + 1 < redis_count(list); i += CLIENT_PARTS)
        control_close(work, redis_str(redis_item(list, i)), redis_str(redis_item(list, i + 1)),
                      CLOSE_ENDED);
}
