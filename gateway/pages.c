#include "gateway/pages.h"

#include <string.h>

#include "common/base/clock.h"

static void stands_still(const void *arg, struct text *out)
{
    const struct gateway *g = arg;

    if (clock_mono_ms() - atomic_load(&g->turned_ms) > STATUS_STILL_MS)
        text_add(out, "standing still: sockets\n");
}

static void missing(const void *arg, struct text *out)
{
    const struct gateway *g = arg;

    if (!bridge_is_up(g->bridge))
        text_add(out, "missing: broker\n");
    if (atomic_load(&g->draining))
        text_add(out, "draining\n");
}

static void figures(const void *arg, struct text *out)
{
    const struct gateway *g = arg;

    metrics_print(g->metrics, out);
}

struct status_source pages_source(const struct gateway *g)
{
    return (struct status_source){stands_still, missing, figures, g};
}

static const char start_page[] =
    "ActiveStack gateway\n"
    "\n"
    "/activestack  WebSocket: ActiveStack, one JSON object or [event, object] a frame\n"
    "              (on any other path with the subprotocol activestack)\n"
    "/content      WebSocket: the content protocol, one JSON object a frame\n"
    "              (on any other path with the subprotocol content)\n"
    "/healthz      is the process alive?\n"
    "/readyz       can it serve? If not: what is missing\n"
    "/metrics      figures for Prometheus\n";

int pages_get(const struct gateway *g, const char *path, struct text *body)
{
    const struct status_source source = pages_source(g);
    int status;

    if (strcmp(path, "/") == 0) {
        text_add(body, start_page);
        return 200;
    }
    status = status_page(&source, path, body);
    if (status == 404)
        text_add(body, "nothing here; see /\n");
    return status;
}
