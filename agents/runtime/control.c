#include "agents/runtime/control.h"

void control_close(struct work *work, const char *client, const char *gateway, int code)
{
    work_add_out(work, &(struct msg){.queue = gateway,
                                     .type = "control",
                                     .reason = "close",
                                     .client = client,
                                     .code = code});
}
