#pragma once

#include "common/process/metrics.h"

/*
 * metrics - what the gateway counts.
 *
 * The rows of one table, each named by a member of enum metric.
 */

enum metric {
    METRIC_CONNECTIONS, /* gauge */
    METRIC_CONNECTIONS_TOTAL,
    METRIC_CONNECTIONS_REFUSED,
    METRIC_DOOR_SOCKETS, /* refused; see door.h */
    METRIC_DOOR_ARRIVALS,
    METRIC_DOOR_UPGRADES_OF_ONE,
    METRIC_DOOR_UPGRADES_OF_ALL,
    METRIC_DOOR_ORIGIN,
    METRIC_DOOR_NO_ORIGIN,
    METRIC_DOOR_CLIENTS,
    METRIC_DOOR_TLS,
    METRIC_CLOSED_1000, /* closed by the gateway, by close code; see metrics_count_close() */
    METRIC_CLOSED_1001,
    METRIC_CLOSED_1003,
    METRIC_CLOSED_1007,
    METRIC_CLOSED_1008,
    METRIC_CLOSED_1009,
    METRIC_CLOSED_1013,
    METRIC_CLOSED_4001,
    METRIC_CLOSED_4002,
    METRIC_CLOSED_4003,
    METRIC_CLOSED_4004,
    METRIC_CLOSED_4005,
    METRIC_CLOSED_OTHER,
    METRIC_FRAMES_IN,
    METRIC_FRAMES_OUT,
    METRIC_BYTES_IN,
    METRIC_BYTES_OUT,
    METRIC_REQUESTS,
    METRIC_OPEN_REQUESTS, /* gauge */
    METRIC_REPLIES,
    METRIC_REPLIES_LATE,
    METRIC_FORMAT_UNKNOWN,
    METRIC_ERRORS_NOT_LOGGED_IN,
    METRIC_ERRORS_NOT_IMPLEMENTED,
    METRIC_ERRORS_MALFORMED,
    METRIC_ERRORS_TIMEOUT,
    METRIC_ERRORS_TOO_MANY,
    METRIC_ERRORS_AWAY,
    METRIC_PUSHES,
    METRIC_PUSHES_SKIPPED,
    METRIC_PUSHES_DROPPED,
    METRIC_PUSHES_HELD_BACK,
    METRIC_BEHIND, /* gauge */
    METRIC_PUSH_RECEIPTS,
    METRIC_RECEIPTS_UNSENT,
    METRIC_REPLY_RECEIPTS,
    METRIC_REPLY_RECEIPTS_IGNORED,
    METRIC_BLOCK_RECEIPTS,
    METRIC_RESULTS_IGNORED,
    METRIC_RECEIPT_MESSAGES,
    METRIC_REPEATED,
    METRIC_REPEATED_DROPPED,
    METRIC_SPECIAL_UNKNOWN,
    METRIC_PUBLISHER_UP, /* gauge */
    METRIC_CONSUMER_UP,  /* gauge */
    METRIC_PUBLISHED,
    METRIC_PUBLISHED_AGAIN,
    METRIC_RETURNED,
    METRIC_REFUSED,
    METRIC_WAITING,         /* gauge */
    METRIC_REQUEST_SECONDS, /* histogram */
    METRIC_COUNT
};

extern const struct metrics_table gateway_metrics;

/* One socket closed by us with this close code. */
void metrics_count_close(struct metrics *m, int code);

/* One error written by the gateway itself, by the code that ActiveStack has for it. */
void metrics_count_error(struct metrics *m, int code);
