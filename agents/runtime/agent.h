#pragma once

#include "agents/runtime/work.h"
#include "common/model/model.h"
#include "common/process/proc.h"
#include "common/protocol/operations.h"

/*
 * agent - a process that consumes operation queues: settings, model, and N identical workers, each
 * a thread with one broker connection and one Redis connection, sharing nothing (design section
 * 14).
 *
 * A main() is one call of agent_main() with the agent's definition: the operations that it serves,
 * one row each, and the work that it looks for by itself.
 */

/* Serves one operation: fills work->call, or answers at once. See work.h for what it returns. */
struct handler {
    const char *operation; /* a name of the operations table */
    work_fn *plan;
};

struct agent_definition {
    enum program program;
    enum operation_agent serves; /* which rows of the operations table */
    const char *help;            /* for --help */
    const struct handler *handlers;
    size_t handler_count;
    /* Runs before requests with the header `keep`, and ends in work_begin(). NULL: nothing. */
    work_fn *keep;
    work_fn *poll; /* looks for due work every sync.poll ms, unless NULL */
    /* Reads what the agent needs beyond settings and model into agent->own, before any thread
     * starts; mistakes go into `problems`, a line each. NULL: nothing. */
    enum err (*load)(struct agent *agent, struct text *problems);
    void (*unload)(struct agent *agent); /* also after a load that failed half-way; or NULL */
};

/* Immutable once the workers run. */
struct agent {
    const struct agent_definition *definition;
    struct proc proc;
    struct model *model;
    char name[300]; /* "sync-agent@host": connection names, consumer tags, app_id */
    struct presence *presence;
    struct children *children; /* of the model */
    void *own;                 /* the definition's */
};

int agent_main(const struct agent_definition *definition, int argc, char **argv);
