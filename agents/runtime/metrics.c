#include "agents/runtime/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "common/base/clock.h"

#define PREFIX    "activestack_agent_"
#define OPERATION "operation"

#define ENDED(outcome)                                                   \
    PREFIX "requests_total", "outcome=\"" outcome "\"", METRICS_COUNTER, \
        "Requests that are done with; those of outcome dropped, "        \
        "with a lost link to the broker, come again.",                   \
        OPERATION
#define SENT(outcome)                                                    \
    PREFIX "messages_total", "outcome=\"" outcome "\"", METRICS_COUNTER, \
        "Replies, pushes and others, by what the broker has told of them."

// clang-format off
static const struct metrics_row rows[FIGURE_COUNT] = {
    [FIGURE_WORKERS]           = { PREFIX "workers", NULL, METRICS_GAUGE, "Workers of the agent." },
    [FIGURE_BROKER_UP]         = { PREFIX "workers_broker_up", NULL, METRICS_GAUGE, "Workers whose link to the broker is up." },
    [FIGURE_REDIS_UP]          = { PREFIX "workers_redis_up", NULL, METRICS_GAUGE, "Workers whose link to Redis is up." },
    [FIGURE_ANSWERED]          = { ENDED("answered") },
    [FIGURE_REFUSED]           = { ENDED("error") },
    [FIGURE_DROPPED]           = { ENDED("dropped") },
    [FIGURE_REDELIVERED]       = { PREFIX "redelivered_total", NULL, METRICS_COUNTER, "Requests that another worker had before, and did not finish.", OPERATION },
    [FIGURE_FORMAT_UNKNOWN]    = { PREFIX "unknown_format_total", NULL, METRICS_COUNTER, "Requests and jobs refused: their format is newer than this agent." },
    [FIGURE_LETTERS]           = { PREFIX "dead_letters_total", NULL, METRICS_COUNTER, "Requests put into the queue of dead letters." },
    [FIGURE_OVERSIZED]         = { PREFIX "oversized_total", NULL, METRICS_COUNTER, "Deliveries whose body was too large: they are dead letters, but for those that workers have sent.", OPERATION },
    [FIGURE_QUEUE_SECONDS]     = { PREFIX "queue_seconds", NULL, METRICS_HISTOGRAM, "Time from a request's coming to the gateway until an agent takes it, most of it in the queue.", OPERATION },
    [FIGURE_AGENT_SECONDS]     = { PREFIX "request_seconds", NULL, METRICS_HISTOGRAM, "Time that a request takes in the agent.", OPERATION },
    [FIGURE_REDIS_SECONDS]     = { PREFIX "redis_seconds", NULL, METRICS_HISTOGRAM, "Time that a batch of calls to Redis takes, scripts and way." },
    [FIGURE_REDIS_CALLS]       = { PREFIX "redis_calls_total", NULL, METRICS_COUNTER, "Calls to Redis that were answered." },
    [FIGURE_REDIS_ERRORS]      = { PREFIX "redis_errors_total", NULL, METRICS_COUNTER, "Of these, those with an error as the answer: a full memory, a script that fails." },
    [FIGURE_MESSAGES]          = { SENT("confirmed") },
    [FIGURE_MESSAGES_RETURNED] = { SENT("returned") },
    [FIGURE_MESSAGES_REFUSED]  = { SENT("refused") },
};
// clang-format on

const struct metrics_table agent_metrics = {rows, ARRAY_SIZE(rows)};

/* Behind the operations: deliveries of no operation, which nobody should send. */
static size_t name_count(void)
{
    return operation_count + 1;
}

static size_t name_of_operation(const struct operation *o)
{
    return o ? (size_t)(o - operations) : operation_count;
}

static size_t name_of(const struct request *request)
{
    return name_of_operation(request->operation);
}

struct metrics *agent_metrics_create(const struct agent_definition *definition)
{
    const char **names = calloc(name_count(), sizeof(*names));
    struct metrics *m;

    if (!names)
        err_out_of_memory();
    for (size_t i = 0; i < operation_count; i++)
        if (operations[i].agent == definition->serves && !operations[i].served_by_name)
            names[i] = operations[i].name;
    names[operation_count] = "none";
    m = metrics_create(&agent_metrics, &(struct metrics_names){names, name_count()});
    free(names);
    return m;
}

void agent_metrics_taken(struct metrics *m, const struct request *request)
{
    const size_t name = name_of(request);
    const int64_t waited_ms = clock_wall_ms() - request->accepted_ms;

    if (request->msg->accepted_ms > 0)
        metrics_observe_of(m, FIGURE_QUEUE_SECONDS, name, waited_ms > 0 ? waited_ms * 1000 : 0);
    if (request->redelivered)
        metrics_add_of(m, FIGURE_REDELIVERED, name, 1);
    if (request->msg->oversized)
        metrics_add_of(m, FIGURE_OVERSIZED, name, 1);
}

void agent_metrics_ended(struct metrics *m, const struct request *request, enum figure how,
                         int64_t us)
{
    metrics_add_of(m, how, name_of(request), 1);
    if (how != FIGURE_DROPPED)
        metrics_observe_of(m, FIGURE_AGENT_SECONDS, name_of(request), us);
}

void agent_metrics_oversized(struct metrics *m, const char *queue)
{
    const struct operation *o = operation_by_name(queue, strlen(queue));

    metrics_add_of(m, FIGURE_OVERSIZED, name_of_operation(o), 1);
}

void agent_metrics_link(struct metrics *m, enum figure link, bool *was_up, bool is_up)
{
    if (*was_up != is_up)
        metrics_add(m, link, is_up ? 1 : -1);
    *was_up = is_up;
}
