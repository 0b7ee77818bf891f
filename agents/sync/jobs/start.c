#include "agents/sync/jobs/jobs.h"

void jobs_start(const struct work *work, const struct redis_reply *fan_outs,
                const struct redis_reply *cascade)
{
    for (size_t i = 0; i < redis_count(fan_outs); i++)
        job_fan_out_start(work, redis_str(redis_item(fan_outs, i)));
    if (*redis_str(cascade))
        job_cascade_start(work, redis_str(cascade));
}
