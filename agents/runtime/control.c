#include "agents/runtime/control.h"

void control_close(struct work *work, const char *client, const char *gateway, int code)
{
    work_add_out(work, &(struct msg){.queue = gateway,
                                     .type = "control",
                                     .reason = "close",
                                     .client = client,
                                     .code = code});
}

#define CLIENT_PARTS 2 /* client, gateway */

void control_close_all(struct work *work, const struct redis_reply *list, int code)
{
    for (size_t i = 0; i + 1 < redis_count(list); i += CLIENT_PARTS)
        control_close(work, redis_str(redis_item(list, i)), redis_str(redis_item(list, i + 1)),
                      code);
}
