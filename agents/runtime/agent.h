#pragma once

#include "agents/runtime/queues.h"
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
    /* The body is no request but what others have written, perhaps no JSON, perhaps too large to
     * be kept: the plan looks at work->request.msg (body, size, oversized), and who asks is what
     * the headers say. */
    bool any_body;
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
    /* Reads its files again, at SIGHUP while the workers run; all counts, or nothing and mistakes
     * are in `problems`, a line each. NULL: it has none. */
    enum err (*reload)(struct agent *agent, struct text *problems);
    /* Adds queues that each worker declares at each connect, beside those of its operations. What
     * it consumes of them is a request of no operation, so they are for others to consume. Their
     * names live as long as agent->own. NULL: none. */
    void (*queues)(const struct agent *agent, struct queues *queues);
    /* The durable topic exchanges that the workers declare; ends with NULL, borrowed. NULL: none.
     */
    const char *const *(*exchanges)(const struct agent *agent);
    /* How many threads each worker has for work_aside(); NULL: none. */
    unsigned (*threads_aside)(const struct agent *agent);
    /* What each of them needs for itself, made and ended in that thread; NULL: nothing. */
    void *(*open_aside)(void);
    void (*close_aside)(void *thread);
    /* Starts and ends what runs beside the workers. `stop` is called while they still serve, and
     * only after a `start` that succeeded. NULL: nothing. */
    enum err (*start)(struct agent *agent);
    void (*stop)(struct agent *agent);
    /* Adds a line, as status.h has it, for each thing that the agent cannot serve without, beside
     * the links of its workers. Any thread, at any time. NULL: there is none. */
    void (*missing)(const struct agent *agent, struct text *out);
    /* What it counts beside the runtime's figures (metrics.h), in agent->own_metrics; NULL:
     * nothing.
     */
    const struct metrics_table *metrics;
};

/* Immutable once the workers run. */
struct agent {
    const struct agent_definition *definition;
    struct proc proc;
    struct model *model;
    char name[300];              /* "sync-agent@host": connection names, consumer tags, app_id */
    struct metrics *metrics;     /* see metrics.h */
    struct metrics *own_metrics; /* the definition's; NULL: none */
    struct standing *standing;
    struct presence *presence;
    struct children *children; /* of the model */
    struct seal *seal; /* opens requests, closes their answers; set by the definition's load;
                          NULL: nothing that is sealed is for this agent */
    void *own;         /* the definition's */
};

/* Who serves an operation, by its name; NULL: nobody. */
const struct handler *agent_handler(const struct agent *agent, const char *operation);

int agent_main(const struct agent_definition *definition, int argc, char **argv);
