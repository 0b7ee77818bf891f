#include <stdio.h>

#include "common/protocol/content.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/operation_names.h"

const char *operation_agent_name(enum operation_agent agent)
{
    static const char *const names[] = {
        [AGENT_NONE] = "-", [AGENT_SYNC] = "sync", [AGENT_AUTH] = "auth"};

    return names[agent];
}

const char *operation_origin_name(enum origin origin)
{
    static const char *const names[] = {
        [ORIGIN_CLIENT] = "client", [ORIGIN_GATEWAY] = "gateway", [ORIGIN_OPERATOR] = "operator",
        [ORIGIN_WORKER] = "worker", [ORIGIN_CONTENT] = "content",
    };

    return names[origin];
}

static void print_row(const struct operation *o)
{
    const char *cls = content_cls(o);

    printf("%-28s %-28s %-5s %-8s %-6s %-8s %-13s %s -> %s\n", o->name,
           o->served_by_name ? o->served_by_name : "-", operation_agent_name(o->agent),
           operation_origin_name(o->origin), o->needs_login ? "yes" : "no",
           o->has_effects ? "yes" : "no", cls ? cls : "-", o->request_class,
           o->response_class ? o->response_class : "-");
}

int ctl_operations(const char *config, int argc, char **argv)
{
    (void)config;
    (void)argv;
    if (argc != 1) {
        fputs("activestack-ctl operations: takes no arguments\n", stderr);
        return CTL_UNKNOWN;
    }
    printf("%-28s %-28s %-5s %-8s %-6s %-8s %-13s %s\n", "operation", "stands for", "agent",
           "sent by", "login", "effects", "content class", "request -> response");
    for (size_t i = 0; i < operation_count; i++)
        print_row(&operations[i]);
    return CTL_YES;
}
