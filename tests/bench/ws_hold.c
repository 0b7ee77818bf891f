#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/json/json_scan.h"
#include "common/protocol/operations.h"
#include "tests/bench/load.h"
#include "tests/bench/ws.h"

/*
 * ws_hold PORT CONNECTIONS
 *
 * Keeps connections open, each logged in on its own, and says "ready". Then each line of standard
 * input is one of
 *
 *   drop      all connections are lost; "dropped" is said
 *   return    all come back at once, and again where the gateway gave up waiting; {"ms": N,
 *             "told": N, "again": N} is said when all are there: how long it took, of how many
 *             objects the one was told that was told of the fewest, and how many tried again
 *   a frame   is sent on every connection; "answered" is said when all have an answer with a
 *             messageId
 *
 * Pushed updates are acknowledged. Ends with its input, when it tells how many pushes there were:
 * {"pushes": N}.
 */

#define ANSWER_TO "\"correspondingMessageId\":\""
#define UPDATE    "\"" SYNC_CLASS("PushUpdateResponse") "\""
#define RETURNED  "\"" SYNC_CLASS("ConnectResponse") "\""
#define REFUSED   "\"clientId\":null"

struct holder {
    struct ws ws; /* first: the loop has its address */
    struct text session;
    bool returning, given_up;
    unsigned told; /* objects, since it began to return */
};

struct hold {
    struct holder *connections;
    unsigned port, count, unanswered, unreturned, again;
    int64_t return_ms; /* when all began to return */
    uint64_t pushes;
    int epoll;
    struct text receipt;
};

static void watch(struct hold *hold, int fd, struct holder *holder)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = holder};

    if (epoll_ctl(hold->epoll, EPOLL_CTL_ADD, fd, &event))
        measure_die("epoll_ctl", strerror(errno));
}

/* As many files as the system lets us have. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void hold_open(struct hold *hold, unsigned port, unsigned count)
{
    raise_file_limit();
    hold->port = port;
    hold->count = count;
    hold->connections = calloc(count, sizeof(*hold->connections));
    hold->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!hold->connections || hold->epoll < 0)
        measure_die("cannot start", strerror(errno));
    for (unsigned i = 0; i < count; i++) {
        ws_open(&hold->connections[i].ws, port);
        ws_login(&hold->connections[i].ws, &hold->connections[i].session);
        watch(hold, hold->connections[i].ws.fd, &hold->connections[i]);
    }
    watch(hold, STDIN_FILENO, NULL);
}

static void hold_close(struct hold *hold)
{
    for (unsigned i = 0; i < hold->count; i++) {
        ws_close(&hold->connections[i].ws);
        text_deinit(&hold->connections[i].session);
    }
    free(hold->connections);
    (void)close(hold->epoll);
    text_deinit(&hold->receipt);
}

/* The receipt for all objects of a push: redelivery puts many into one. */
static void acknowledge(struct hold *hold, struct holder *holder, const char *frame, size_t size)
{
    struct json_walk objects = json_walk(json_member(json_value(frame, size), "objectList", NULL));
    const char *between = "";

    text_clear(&hold->receipt);
    text_add(&hold->receipt,
             "{\"cn\":\"" SYNC_CLASS("PushUpdatesReceivedRequest") "\",\"classIdPairs\":[");
    for (; json_next(&objects); between = ",") {
        struct json_span name = json_member(objects.value, "cn", NULL);
        struct json_span id = json_member(objects.value, "ID", NULL);

        text_addf(&hold->receipt, "%s{\"className\":%.*s,\"ID\":%.*s}", between, (int)name.size,
                  name.at, (int)id.size, id.at);
        holder->told++;
    }
    text_add(&hold->receipt, "]}");
    ws_add(&holder->ws, hold->receipt.at, hold->receipt.size);
}

/* ---- Returns ---- */

static void drop_all(struct hold *hold)
{
    for (unsigned i = 0; i < hold->count; i++)
        ws_close(&hold->connections[i].ws);
    measure_tell("dropped");
}

static void dial(struct hold *hold, struct holder *holder)
{
    ws_dial(&holder->ws, hold->port);
    watch(hold, holder->ws.fd, holder);
}

static void return_one(struct hold *hold, struct holder *holder)
{
    holder->returning = true;
    holder->told = 0;
    dial(hold, holder);
}

static void return_all(struct hold *hold)
{
    hold->return_ms = clock_mono_ms();
    hold->unreturned = hold->count;
    hold->again = 0;
    for (unsigned i = 0; i < hold->count; i++)
        return_one(hold, &hold->connections[i]);
}

/* Its request was not answered in time. */
static void return_again(struct hold *hold, struct holder *holder)
{
    hold->again++;
    holder->given_up = false;
    ws_close(&holder->ws);
    dial(hold, holder);
}

static void ask_to_return(struct hold *hold, struct holder *holder)
{
    text_clear(&hold->receipt);
    text_addf(&hold->receipt, "{\"reconnect\":{\"reconnectId\":%s}}", text_str(&holder->session));
    ws_add(&holder->ws, hold->receipt.at, hold->receipt.size);
}

static void tell_returned(const struct hold *hold)
{
    unsigned told = UINT_MAX;
    char line[96];

    for (unsigned i = 0; i < hold->count; i++) {
        if (hold->connections[i].told < told)
            told = hold->connections[i].told;
    }
    (void)snprintf(line, sizeof(line), "{\"ms\": %lld, \"told\": %u, \"again\": %u}",
                   (long long)(clock_mono_ms() - hold->return_ms), told, hold->again);
    measure_tell(line);
}

static void take_return(struct hold *hold, struct holder *holder, const char *frame, size_t size)
{
    if (ws_find(frame, size, REFUSED))
        measure_die("a return was refused", frame);
    holder->returning = false;
    if (!--hold->unreturned)
        tell_returned(hold);
}

/* ---- The loop ---- */

static void take(struct hold *hold, struct holder *holder, const char *frame, size_t size)
{
    if (ws_take_session(frame, size, &holder->session))
        return;
    if (ws_find(frame, size, "ErrorResponse")) {
        if (!holder->returning)
            measure_die("an error", frame);
        holder->given_up = true;
    }
    if (holder->returning && ws_find(frame, size, RETURNED))
        take_return(hold, holder, frame, size);
    if (ws_find(frame, size, ANSWER_TO) && hold->unanswered && !--hold->unanswered)
        measure_tell("answered");
    if (!ws_find(frame, size, UPDATE))
        return;
    hold->pushes++;
    acknowledge(hold, holder, frame, size);
}

static void serve(struct hold *hold, struct holder *holder)
{
    const bool was_open = holder->ws.open;
    const char *frame;
    size_t size;

    ws_read(&holder->ws);
    if (!ws_is_open(&holder->ws))
        return;
    if (!was_open)
        ask_to_return(hold, holder);
    while ((frame = ws_next(&holder->ws, &size)))
        take(hold, holder, frame, size);
    ws_flush(&holder->ws);
    if (holder->given_up)
        return_again(hold, holder);
}

static void send_all(struct hold *hold, const char *frame)
{
    hold->unanswered = hold->count;
    for (unsigned i = 0; i < hold->count; i++) {
        ws_add(&hold->connections[i].ws, frame, strlen(frame));
        ws_flush(&hold->connections[i].ws);
    }
}

/* One line at a time: its sender waits for the answer. */
static bool obey(struct hold *hold)
{
    char line[4096];

    if (!fgets(line, sizeof(line), stdin))
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "drop") == 0)
        drop_all(hold);
    else if (strcmp(line, "return") == 0)
        return_all(hold);
    else
        send_all(hold, line);
    return true;
}

static void work(struct hold *hold)
{
    struct epoll_event events[64];

    for (;;) {
        int count = epoll_wait(hold->epoll, events, 64, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                serve(hold, events[i].data.ptr);
            else if (!obey(hold))
                return;
        }
    }
}

int main(int argc, char **argv)
{
    static struct hold hold;
    char line[64];

    if (argc != 3)
        measure_die("usage", "ws_hold PORT CONNECTIONS");
    hold_open(&hold, load_number(argv[1]), load_number(argv[2]));
    measure_tell("ready");
    work(&hold);
    (void)snprintf(line, sizeof(line), "{\"pushes\": %llu}", (unsigned long long)hold.pushes);
    measure_tell(line);
    hold_close(&hold);
    return EXIT_SUCCESS;
}
