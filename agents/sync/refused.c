#include "agents/sync/refused.h"

#include <string.h>

bool refused(struct work *work, const char *failure, enum work_step *step)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        *step = work_error(work, CODE_INTERNAL, failure);
    else if (!strcmp(redis_str(redis_item(r, 0)), "client"))
        *step = work_error(work, CODE_INVALID_CLIENT, "this client is not known; log in");
    else
        return false;
    return true;
}
