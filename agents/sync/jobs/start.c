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
