#include "agents/sync/metrics.h"

#define BOOKS "activestack_books_"
#define STORE "activestack_store_"
#define DUE(of)                                                                                \
    STORE "due", "what=\"" of "\"", METRICS_GAUGE,                                             \
        "What waits to be taken up by an agent; sessions and blocks have marks to be told of " \
        "(again)."

// clang-format off
static const struct metrics_row rows[SYNC_FIGURE_COUNT] = {
    [TALLY_MADE]          = { BOOKS "made_total", NULL, METRICS_COUNTER, "Marks ever made: somebody has to hear of a change." },
    [TALLY_ACKNOWLEDGED]  = { BOOKS "acknowledged_total", NULL, METRICS_COUNTER, "Marks that ended since the client has acknowledged what it was told." },
    [TALLY_SUPERSEDED]    = { BOOKS "superseded_total", NULL, METRICS_COUNTER, "Marks that ended since a newer one took their place." },
    [TALLY_ENDED]         = { BOOKS "ended_total", NULL, METRICS_COUNTER, "Marks that ended with their session, or with its interest." },
    [TALLY_PENDING]       = { BOOKS "pending", NULL, METRICS_GAUGE, "Marks that have not ended, of sessions without a connection too." },
    [TALLY_JOBS_DUE]      = { DUE("jobs") },
    [TALLY_SESSIONS_DUE]  = { DUE("sessions") },
    [TALLY_BLOCKS_DUE]    = { DUE("blocks") },
    [TALLY_USERS_DUE]     = { DUE("users") },
    [TALLY_CALLS_DUE]     = { DUE("calls") },
    [TALLY_VALUES_DUE]    = { DUE("values") },
    [TALLY_JOBS]          = { STORE "jobs", NULL, METRICS_GAUGE, "Jobs that are not done, due or under way." },
    [TALLY_CALLS]         = { STORE "process_calls", NULL, METRICS_GAUGE, "Calls of processes that have not ended." },
    [TALLY_GATEWAYS]      = { STORE "gateways", NULL, METRICS_GAUGE, "Gateways that have told lately that they live." },
    [TALLY_IDLE]          = { STORE "idle_sessions", NULL, METRICS_GAUGE, "Sessions without a connection." },
    [TALLY_RECEIPTS_LATE] = { STORE "receipts_late", NULL, METRICS_GAUGE, "1 while receipts wait for so long that nothing is sent again." },
    [TALLY_TIME]          = { STORE "read_time_seconds", NULL, METRICS_GAUGE, "When these figures of the store were read, in seconds since 1970; 0: not yet." },
    [HOST_BROKER_UP]      = { "activestack_host_broker_up", NULL, METRICS_GAUGE, "1 while this agent's connectors and plug-ins have their link to the broker; 0 also without any." },
};
// clang-format on

const struct metrics_table sync_metrics = {rows, ARRAY_SIZE(rows)};
