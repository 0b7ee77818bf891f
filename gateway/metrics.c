#include "gateway/metrics.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "activestack_gateway_"
#define CLOSED(code) \
    PREFIX "closed_total", "code=\"" code "\"", METRICS_COUNTER, "Sockets closed by the gateway."
#define OUTSIDE(reason)                                                    \
    PREFIX "door_refused_total", "reason=\"" reason "\"", METRICS_COUNTER, \
        "Sockets and upgrades that were not let in, by the reason."
#define ERRORS(code)                                             \
    PREFIX "errors_total", "code=\"" code "\"", METRICS_COUNTER, \
        "Errors answered by the gateway itself, by the code that ActiveStack has for them."

static const struct metrics_row rows[METRIC_COUNT] = {
    // clang-format off
    [METRIC_CONNECTIONS]            = { PREFIX "connections", NULL, METRICS_GAUGE, "Open WebSocket connections." },
    [METRIC_CONNECTIONS_TOTAL]      = { PREFIX "connections_total", NULL, METRICS_COUNTER, "WebSocket connections ever opened." },
    [METRIC_CONNECTIONS_REFUSED]    = { PREFIX "connections_refused_total", NULL, METRICS_COUNTER, "Connections refused: too many, or the broker away too long." },
    [METRIC_DOOR_SOCKETS]           = { OUTSIDE("address_sockets") },
    [METRIC_DOOR_ARRIVALS]          = { OUTSIDE("address_socket_rate") },
    [METRIC_DOOR_UPGRADES_OF_ONE]   = { OUTSIDE("address_upgrade_rate") },
    [METRIC_DOOR_UPGRADES_OF_ALL]   = { OUTSIDE("upgrade_rate") },
    [METRIC_DOOR_ORIGIN]            = { OUTSIDE("origin") },
    [METRIC_DOOR_NO_ORIGIN]         = { OUTSIDE("no_origin") },
    [METRIC_DOOR_CLIENTS]           = { OUTSIDE("address_connections") },
    [METRIC_DOOR_TLS]               = { OUTSIDE("tls") },
    [METRIC_CLOSED_1000]            = { CLOSED("1000") },
    [METRIC_CLOSED_1001]            = { CLOSED("1001") },
    [METRIC_CLOSED_1003]            = { CLOSED("1003") },
    [METRIC_CLOSED_1007]            = { CLOSED("1007") },
    [METRIC_CLOSED_1008]            = { CLOSED("1008") },
    [METRIC_CLOSED_1009]            = { CLOSED("1009") },
    [METRIC_CLOSED_1013]            = { CLOSED("1013") },
    [METRIC_CLOSED_4001]            = { CLOSED("4001") },
    [METRIC_CLOSED_4002]            = { CLOSED("4002") },
    [METRIC_CLOSED_4003]            = { CLOSED("4003") },
    [METRIC_CLOSED_4004]            = { CLOSED("4004") },
    [METRIC_CLOSED_4005]            = { CLOSED("4005") },
    [METRIC_CLOSED_OTHER]           = { CLOSED("other") },
    [METRIC_FRAMES_IN]              = { PREFIX "frames_received_total", NULL, METRICS_COUNTER, "Text frames from clients." },
    [METRIC_FRAMES_OUT]             = { PREFIX "frames_sent_total", NULL, METRICS_COUNTER, "Text frames to clients." },
    [METRIC_BYTES_IN]               = { PREFIX "bytes_received_total", NULL, METRICS_COUNTER, "Bytes of the frames from clients." },
    [METRIC_BYTES_OUT]              = { PREFIX "bytes_sent_total", NULL, METRICS_COUNTER, "Bytes of the frames to clients." },
    [METRIC_REQUESTS]               = { PREFIX "requests_total", NULL, METRICS_COUNTER, "Requests passed on to the broker, the gateway's own included." },
    [METRIC_OPEN_REQUESTS]          = { PREFIX "open_requests", NULL, METRICS_GAUGE, "Requests that wait for their reply." },
    [METRIC_REPLIES]                = { PREFIX "replies_total", NULL, METRICS_COUNTER, "Replies from agents." },
    [METRIC_FORMAT_UNKNOWN]         = { PREFIX "messages_of_unknown_format_total", NULL, METRICS_COUNTER, "Messages of agents refused: their format is newer than this gateway." },
    [METRIC_REPLIES_LATE]           = { PREFIX "replies_late_total", NULL, METRICS_COUNTER, "Replies to requests that had ended: a second answer, a deadline, a closed socket." },
    [METRIC_ERRORS_NOT_LOGGED_IN]   = { ERRORS("-100") },
    [METRIC_ERRORS_NOT_IMPLEMENTED] = { ERRORS("-106") },
    [METRIC_ERRORS_MALFORMED]       = { ERRORS("-115") },
    [METRIC_ERRORS_TIMEOUT]         = { ERRORS("-116") },
    [METRIC_ERRORS_TOO_MANY]        = { ERRORS("-118") },
    [METRIC_ERRORS_AWAY]            = { ERRORS("-119") },
    [METRIC_PUSHES]                 = { PREFIX "pushes_total", NULL, METRICS_COUNTER, "Pushes handed to clients." },
    [METRIC_PUSHES_SKIPPED]         = { PREFIX "pushes_skipped_total", NULL, METRICS_COUNTER, "Recipients of a push that are not here." },
    [METRIC_PUSHES_DROPPED]         = { PREFIX "pushes_dropped_total", NULL, METRICS_COUNTER, "Pushes for clients that read too slowly; they wait as marks." },
    [METRIC_PUSHES_HELD_BACK]       = { PREFIX "pushes_held_back_total", NULL, METRICS_COUNTER, "Pushes for clients that owe too many push receipts; they wait as marks." },
    [METRIC_BEHIND]                 = { PREFIX "clients_behind", NULL, METRICS_GAUGE, "Clients that read too slowly for pushes." },
    [METRIC_PUSH_RECEIPTS]          = { PREFIX "push_receipts_total", NULL, METRICS_COUNTER, "Push receipts from clients." },
    [METRIC_RECEIPTS_UNSENT]        = { PREFIX "push_receipts_unsent_total", NULL, METRICS_COUNTER, "Objects in push receipts that were not sent, or have had their receipts." },
    [METRIC_REPLY_RECEIPTS]         = { PREFIX "reply_receipts_total", NULL, METRICS_COUNTER, "Special messages ack from clients." },
    [METRIC_REPLY_RECEIPTS_IGNORED] = { PREFIX "reply_receipts_ignored_total", NULL, METRICS_COUNTER, "Of these, those without a correspondingMessageId." },
    [METRIC_BLOCK_RECEIPTS]         = { PREFIX "block_receipts_total", NULL, METRICS_COUNTER, "Blocks of changes that clients of the content protocol have answered." },
    [METRIC_RESULTS_IGNORED]        = { PREFIX "results_ignored_total", NULL, METRICS_COUNTER, "Results and errors from them that answer no block, which are ignored." },
    [METRIC_RECEIPT_MESSAGES]       = { PREFIX "receipt_messages_total", NULL, METRICS_COUNTER, "Messages in which receipts were passed on, each with those of many clients." },
    [METRIC_REPEATED]               = { PREFIX "replies_repeated_total", NULL, METRICS_COUNTER, "Replies handed to clients once more." },
    [METRIC_REPEATED_DROPPED]       = { PREFIX "replies_repeated_dropped_total", NULL, METRICS_COUNTER, "The same for clients that are not here, or read too slowly." },
    [METRIC_SPECIAL_UNKNOWN]        = { PREFIX "special_unknown_total", NULL, METRICS_COUNTER, "Unknown special messages, which are ignored." },
    [METRIC_PUBLISHER_UP]           = { PREFIX "broker_up", "link=\"publisher\"", METRICS_GAUGE, "1 while the link to the broker is up." },
    [METRIC_CONSUMER_UP]            = { PREFIX "broker_up", "link=\"consumer\"", METRICS_GAUGE, "1 while the link to the broker is up." },
    [METRIC_PUBLISHED]              = { PREFIX "published_total", NULL, METRICS_COUNTER, "Messages handed to the broker." },
    [METRIC_PUBLISHED_AGAIN]        = { PREFIX "published_again_total", NULL, METRICS_COUNTER, "Messages published once more after a lost link." },
    [METRIC_RETURNED]               = { PREFIX "returned_total", NULL, METRICS_COUNTER, "Messages that the broker returned: no agent has ever served them." },
    [METRIC_REFUSED]                = { PREFIX "refused_total", NULL, METRICS_COUNTER, "Messages that the broker refused: a queue is full." },
    [METRIC_WAITING]                = { PREFIX "publisher_waiting", NULL, METRICS_GAUGE, "Messages that wait for the broker." },
    [METRIC_REQUEST_SECONDS]        = { PREFIX "request_seconds", NULL, METRICS_HISTOGRAM, "Time from a request to its reply." },
    // clang-format on
};

const struct metrics_table gateway_metrics = {rows, ARRAY_SIZE(rows)};

/* The row of `name` whose label carries this code; `otherwise` when there is none. */
static enum metric metric_with_code(enum metric first, enum metric last, int code,
                                    enum metric otherwise)
{
    char label[32];

    snprintf(label, sizeof(label), "code=\"%d\"", code);
    for (enum metric m = first; m <= last; m++)
        if (strcmp(rows[m].label, label) == 0)
            return m;
    return otherwise;
}

void metrics_count_close(struct metrics *m, int code)
{
    metrics_add(
        m, metric_with_code(METRIC_CLOSED_1000, METRIC_CLOSED_OTHER, code, METRIC_CLOSED_OTHER), 1);
}

void metrics_count_error(struct metrics *m, int code)
{
    metrics_add(m,
                metric_with_code(METRIC_ERRORS_NOT_LOGGED_IN, METRIC_ERRORS_AWAY, code,
                                 METRIC_ERRORS_MALFORMED),
                1);
}
