#include "gateway/pages.h"

#include <string.h>

static int healthz(const struct gateway *g, struct text *body)
{
    (void)g;
    text_add(body, "ok\n");
    return 200;
}

static int readyz(const struct gateway *g, struct text *body)
{
    bool is_ready = bridge_is_up(g->bridge) && !g->draining;

    if (!bridge_is_up(g->bridge))
        text_add(body, "missing: broker\n");
    if (g->draining)
        text_add(body, "draining\n");
    if (is_ready)
        text_add(body, "ready\n");
    return is_ready ? 200 : 503;
}

static int metrics(const struct gateway *g, struct text *body)
{
    metrics_print(g->metrics, body);
    return 200;
}

static int start(const struct gateway *g, struct text *body)
{
    (void)g;
    text_add(body,
             "ActiveStack gateway\n"
             "\n"
             "/activestack  WebSocket: ActiveStack, one JSON object or [event, object] a frame\n"
             "              (on any other path with the subprotocol activestack)\n"
             "/content      WebSocket: the content protocol, one JSON object a frame\n"
             "              (on any other path with the subprotocol content)\n"
             "/healthz      is the process alive?\n"
             "/readyz       can it serve? If not: what is missing\n"
             "/metrics      figures for Prometheus\n");
    return 200;
}

static const struct {
    const char *path;
    int (*get)(const struct gateway *g, struct text *body);
} pages[] = {
    // clang-format off
    { "/",        start   },
    { "/healthz", healthz },
    { "/metrics", metrics },
    { "/readyz",  readyz  },
    // clang-format on
};

int pages_get(const struct gateway *g, const char *path, struct text *body)
{
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        if (strcmp(path, pages[i].path) == 0)
            return pages[i].get(g, body);
    text_add(body, "nothing here; see /\n");
    return 404;
}
