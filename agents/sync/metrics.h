#pragma once

#include "common/process/metrics.h"

/*
 * metrics - what the sync agent tells beside the runtime's figures: of the store, which every sync
 * agent has the same (operator/tally.h), and of its own connectors.
 */

enum sync_figure {
    /* In the order in which store/tally.lua returns them. */
    TALLY_MADE,
    TALLY_ACKNOWLEDGED,
    TALLY_SUPERSEDED,
    TALLY_ENDED,
    TALLY_JOBS_DUE,
    TALLY_SESSIONS_DUE,
    TALLY_BLOCKS_DUE,
    TALLY_USERS_DUE,
    TALLY_CALLS_DUE,
    TALLY_VALUES_DUE,
    TALLY_JOBS,
    TALLY_CALLS,
    TALLY_GATEWAYS,
    TALLY_IDLE,
    TALLY_RECEIPTS_LATE,
    TALLY_COUNT,

    TALLY_PENDING = TALLY_COUNT, /* from the first four */
    TALLY_TIME,
    HOST_BROKER_UP,
    SYNC_FIGURE_COUNT
};

extern const struct metrics_table sync_metrics;
