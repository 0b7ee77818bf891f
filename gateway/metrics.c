#include "gateway/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKET_COUNT 14

struct metrics {
    _Atomic int64_t values[METRIC_COUNT];
    _Atomic int64_t buckets[BUCKET_COUNT + 1]; /* the last: everything slower */
    _Atomic int64_t latency_sum_us;
};

struct metric_row {
    const char *name;
    const char *label; /* NULL: none */
    const char *type;
    const char *help;
};

#define PREFIX "activestack_gateway_"
#define CLOSED(code) \
    PREFIX "closed_total", "code=\"" code "\"", "counter", "Sockets closed by the gateway."
#define OUTSIDE(reason)                                              \
    PREFIX "door_refused_total", "reason=\"" reason "\"", "counter", \
        "Sockets and upgrades that were not let in, by the reason."
#define ERRORS(code)                                       \
    PREFIX "errors_total", "code=\"" code "\"", "counter", \
        "Errors answered by the gateway itself, by the code that ActiveStack has for them."

static const struct metric_row rows[METRIC_COUNT] = {
    // clang-format off
    [METRIC_CONNECTIONS]            = { PREFIX "connections", NULL, "gauge", "Open WebSocket connections." },
    [METRIC_CONNECTIONS_TOTAL]      = { PREFIX "connections_total", NULL, "counter", "WebSocket connections ever opened." },
    [METRIC_CONNECTIONS_REFUSED]    = { PREFIX "connections_refused_total", NULL, "counter", "Connections refused: too many, or the broker away too long." },
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
    [METRIC_FRAMES_IN]              = { PREFIX "frames_received_total", NULL, "counter", "Text frames from clients." },
    [METRIC_FRAMES_OUT]             = { PREFIX "frames_sent_total", NULL, "counter", "Text frames to clients." },
    [METRIC_BYTES_IN]               = { PREFIX "bytes_received_total", NULL, "counter", "Bytes of the frames from clients." },
    [METRIC_BYTES_OUT]              = { PREFIX "bytes_sent_total", NULL, "counter", "Bytes of the frames to clients." },
    [METRIC_REQUESTS]               = { PREFIX "requests_total", NULL, "counter", "Requests passed on to the broker, the gateway's own included." },
    [METRIC_OPEN_REQUESTS]          = { PREFIX "open_requests", NULL, "gauge", "Requests that wait for their reply." },
    [METRIC_REPLIES]                = { PREFIX "replies_total", NULL, "counter", "Replies from agents." },
    [METRIC_REPLIES_LATE]           = { PREFIX "replies_late_total", NULL, "counter", "Replies to requests that had ended: a second answer, a deadline, a closed socket." },
    [METRIC_ERRORS_NOT_LOGGED_IN]   = { ERRORS("-100") },
    [METRIC_ERRORS_NOT_IMPLEMENTED] = { ERRORS("-106") },
    [METRIC_ERRORS_MALFORMED]       = { ERRORS("-115") },
    [METRIC_ERRORS_TIMEOUT]         = { ERRORS("-116") },
    [METRIC_ERRORS_TOO_MANY]        = { ERRORS("-118") },
    [METRIC_ERRORS_AWAY]            = { ERRORS("-119") },
    [METRIC_PUSHES]                 = { PREFIX "pushes_total", NULL, "counter", "Pushes handed to clients." },
    [METRIC_PUSHES_SKIPPED]         = { PREFIX "pushes_skipped_total", NULL, "counter", "Recipients of a push that are not here." },
    [METRIC_PUSHES_DROPPED]         = { PREFIX "pushes_dropped_total", NULL, "counter", "Pushes for clients that read too slowly; they wait as marks." },
    [METRIC_PUSHES_HELD_BACK]       = { PREFIX "pushes_held_back_total", NULL, "counter", "Pushes for clients that owe too many push receipts; they wait as marks." },
    [METRIC_BEHIND]                 = { PREFIX "clients_behind", NULL, "gauge", "Clients that read too slowly for pushes." },
    [METRIC_PUSH_RECEIPTS]          = { PREFIX "push_receipts_total", NULL, "counter", "Push receipts from clients." },
    [METRIC_RECEIPTS_UNSENT]        = { PREFIX "push_receipts_unsent_total", NULL, "counter", "Objects in push receipts that were not sent, or have had their receipts." },
    [METRIC_REPLY_RECEIPTS]         = { PREFIX "reply_receipts_total", NULL, "counter", "Special messages ack from clients." },
    [METRIC_REPLY_RECEIPTS_IGNORED] = { PREFIX "reply_receipts_ignored_total", NULL, "counter", "Of these, those without a correspondingMessageId." },
    [METRIC_BLOCK_RECEIPTS]         = { PREFIX "block_receipts_total", NULL, "counter", "Blocks of changes that clients of the content protocol have answered." },
    [METRIC_RESULTS_IGNORED]        = { PREFIX "results_ignored_total", NULL, "counter", "Results and errors from them that answer no block, which are ignored." },
    [METRIC_RECEIPT_MESSAGES]       = { PREFIX "receipt_messages_total", NULL, "counter", "Messages in which receipts were passed on, each with those of many clients." },
    [METRIC_REPEATED]               = { PREFIX "replies_repeated_total", NULL, "counter", "Replies handed to clients once more." },
    [METRIC_REPEATED_DROPPED]       = { PREFIX "replies_repeated_dropped_total", NULL, "counter", "The same for clients that are not here, or read too slowly." },
    [METRIC_SPECIAL_UNKNOWN]        = { PREFIX "special_unknown_total", NULL, "counter", "Unknown special messages, which are ignored." },
    [METRIC_PUBLISHER_UP]           = { PREFIX "broker_up", "link=\"publisher\"", "gauge", "1 while the link to the broker is up." },
    [METRIC_CONSUMER_UP]            = { PREFIX "broker_up", "link=\"consumer\"", "gauge", "1 while the link to the broker is up." },
    [METRIC_PUBLISHED]              = { PREFIX "published_total", NULL, "counter", "Messages handed to the broker." },
    [METRIC_PUBLISHED_AGAIN]        = { PREFIX "published_again_total", NULL, "counter", "Messages published once more after a lost link." },
    [METRIC_RETURNED]               = { PREFIX "returned_total", NULL, "counter", "Messages that the broker returned: no agent has ever served them." },
    [METRIC_REFUSED]                = { PREFIX "refused_total", NULL, "counter", "Messages that the broker refused: a queue is full." },
    [METRIC_WAITING]                = { PREFIX "publisher_waiting", NULL, "gauge", "Messages that wait for the broker." },
    // clang-format on
};

/* Upper bounds of the histogram, in microseconds and as Prometheus writes them. */
static const struct {
    int64_t us;
    const char *seconds;
} bounds[BUCKET_COUNT] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"},
};

enum err metrics_create(struct metrics **out)
{
    *out = calloc(1, sizeof(**out));
    return *out ? ERR_OK : ERR_NOMEM;
}

void metrics_destroy(struct metrics *m)
{
    free(m);
}

void metrics_add(struct metrics *m, enum metric metric, int64_t amount)
{
    atomic_fetch_add_explicit(&m->values[metric], amount, memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metric metric, int64_t value)
{
    atomic_store_explicit(&m->values[metric], value, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *m, enum metric metric)
{
    return atomic_load_explicit(&m->values[metric], memory_order_relaxed);
}

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

void metrics_observe_latency(struct metrics *m, int64_t us)
{
    size_t i = 0;

    while (i < BUCKET_COUNT && us > bounds[i].us)
        i++;
    atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->latency_sum_us, us, memory_order_relaxed);
}

static void print_head(struct text *out, const char *name, const char *type, const char *help)
{
    text_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_latency(const struct metrics *m, struct text *out)
{
    const char *name = PREFIX "request_seconds";
    int64_t sum_us = atomic_load_explicit(&m->latency_sum_us, memory_order_relaxed);
    int64_t count = 0;

    print_head(out, name, "histogram", "Time from a request to its reply.");
    for (size_t i = 0; i <= BUCKET_COUNT; i++) {
        count += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
        text_addf(out, "%s_bucket{le=\"%s\"} %lld\n", name,
                  i < BUCKET_COUNT ? bounds[i].seconds : "+Inf", (long long)count);
    }
    text_addf(out, "%s_sum %lld.%06lld\n%s_count %lld\n", name, (long long)(sum_us / 1000000),
              (long long)(sum_us % 1000000), name, (long long)count);
}

void metrics_print(const struct metrics *m, struct text *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = &rows[i];

        if (i == 0 || strcmp(row->name, rows[i - 1].name) != 0)
            print_head(out, row->name, row->type, row->help);
        text_add(out, row->name);
        if (row->label)
            text_addf(out, "{%s}", row->label);
        text_addf(out, " %lld\n", (long long)metrics_get(m, (enum metric)i));
    }
    print_latency(m, out);
}
