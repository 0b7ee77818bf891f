#include "agents/sync/watchers/watchers.h"
#include "common/base/log.h"

void watchers_answered(const struct work *work, const char *watcher, struct json_span answer)
{
    (void)work;
    log_warn("watcher.answer_dropped", LOG_STR("watcher", watcher), LOG_I64("bytes", answer.size));
}
