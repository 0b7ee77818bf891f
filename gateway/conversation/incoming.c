#include "gateway/conversation/incoming.h"

#include "gateway/conversation/dialect.h"

void incoming_frame(struct gateway *g, struct client *c, const char *text, size_t size)
{
    metrics_add(g->metrics, METRIC_FRAMES_IN, 1);
    metrics_add(g->metrics, METRIC_BYTES_IN, (int64_t)size);
    if (c->state != CLIENT_CLOSING && !g->draining) /* then the close says it all */
        c->dialect->take(g, c, text, size);
}
