#include <stdlib.h>

#include "common/base/log.h"
#include "common/process/proc.h"
#include "common/process/service.h"
#include "gateway/gateway.h"

/* The sockets' thread reads certificate and key, and keeps those it has where they are wrong. */
static enum err reload(void *arg, const struct settings *read, struct text *problems)
{
    return gateway_reload(arg, read, problems);
}

static void serve(struct proc *proc, struct gateway_process *gateway)
{
    while (proc_wait(proc) == PROC_RELOAD) {
        service_reloading(gateway_service(gateway));
        proc_reload(proc, reload, gateway);
        service_reloaded(gateway_service(gateway));
    }
}

/* The first signal to stop sends everybody away in order, a second one ends at once. */
static void run(struct proc *proc, struct gateway_process *gateway)
{
    serve(proc, gateway);
    gateway_drain(gateway);
    serve(proc, gateway); /* until it is drained, or told to stop once more */
    log_info("gateway.stopped", LOG_I64("drained", gateway_is_drained(gateway)));
}

int main(int argc, char **argv)
{
    static const char help[] =
        "Carries ActiveStack from WebSockets to RabbitMQ and back.\n"
        "SIGTERM sends the clients away and finishes open requests; a second one ends at once.\n"
        "SIGHUP reads certificate and key for TLS again, and the settings that may change.";
    static const struct metrics_table *const metrics[] = {&gateway_metrics, NULL};
    const struct proc_about about = {PROGRAM_GATEWAY, help, metrics};
    struct gateway_process *gateway = NULL;
    struct proc proc;
    int exit_code = EXIT_SUCCESS;

    if (!proc_start(&proc, &about, argc, argv, &exit_code))
        return exit_code;
    (void)proc_raise_file_limit();
    if (gateway_start(&proc, &gateway))
        exit_code = EXIT_FAILURE;
    else
        run(&proc, gateway);
    gateway_stop(gateway);
    proc_end(&proc);
    return exit_code;
}
