#include "common/base/fault.h"

#ifdef ACTIVESTACK_FAULTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Read once, at the first point that any thread comes to; never changed afterwards. */
static struct {
    const char *name; /* NULL: none */
    size_t size;
    atomic_long remaining;
} chosen;

static void read_variable(void)
{
    const char *colon;

    chosen.name = getenv("ACTIVESTACK_FAULT");
    if (!chosen.name)
        return;
    colon = strchr(chosen.name, ':');
    chosen.size = colon ? (size_t)(colon - chosen.name) : strlen(chosen.name);
    chosen.remaining = colon ? strtol(colon + 1, NULL, 10) : 1;
}

void fault_point(const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, read_variable);
    if (!chosen.name || strlen(name) != chosen.size || memcmp(name, chosen.name, chosen.size) != 0)
        return;
    if (atomic_fetch_sub(&chosen.remaining, 1) == 1)
        kill(getpid(), SIGKILL);
}

#endif
