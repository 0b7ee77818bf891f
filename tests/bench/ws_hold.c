#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/json_scan.h"
#include "common/operations.h"
#include "tests/bench/load.h"
#include "tests/bench/ws.h"

/*
 * ws_hold PORT CONNECTIONS
 *
 * Keeps connections open, each logged in on its own, and says "ready". Then each line of standard
 * input is a frame that is sent on every connection; "answered" is said when all have an answer
 * with a messageId. Pushed updates are acknowledged. Ends with its input, when it tells how many
 * pushes there were: {"pushes": N}.
 */

#define ANSWER_TO "\"correspondingMessageId\":\""
#define UPDATE    "\"" SYNC_CLASS("PushUpdateResponse") "\""

struct hold {
    struct ws *connections;
    unsigned count, unanswered;
    uint64_t pushes;
    int epoll;
    struct text receipt;
};

static void watch(struct hold *hold, int fd, struct ws *ws)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = ws};

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
    hold->count = count;
    hold->connections = calloc(count, sizeof(*hold->connections));
    hold->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!hold->connections || hold->epoll < 0)
        measure_die("cannot start", strerror(errno));
    for (unsigned i = 0; i < count; i++) {
        ws_open(&hold->connections[i], port);
        ws_login(&hold->connections[i]);
        watch(hold, hold->connections[i].fd, &hold->connections[i]);
    }
    watch(hold, STDIN_FILENO, NULL);
}

static void hold_close(struct hold *hold)
{
    for (unsigned i = 0; i < hold->count; i++)
        ws_close(&hold->connections[i]);
    free(hold->connections);
    (void)close(hold->epoll);
    text_deinit(&hold->receipt);
}

/* The receipt for all objects of a push: redelivery puts many into one. */
static void acknowledge(struct hold *hold, struct ws *ws, const char *frame, size_t size)
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
    }
    text_add(&hold->receipt, "]}");
    ws_add(ws, hold->receipt.at, hold->receipt.size);
}

static void take(struct hold *hold, struct ws *ws, const char *frame, size_t size)
{
    const char *id = ws_find(frame, size, ANSWER_TO);

    if (ws_find(frame, size, "ErrorResponse"))
        measure_die("an error", frame);
    if (id && hold->unanswered && !--hold->unanswered)
        measure_tell("answered");
    if (!ws_find(frame, size, UPDATE))
        return;
    hold->pushes++;
    acknowledge(hold, ws, frame, size);
}

static void serve(struct hold *hold, struct ws *ws)
{
    const char *frame;
    size_t size;

    ws_read(ws);
    while ((frame = ws_next(ws, &size)))
        take(hold, ws, frame, size);
    ws_flush(ws);
}

/* One line at a time: its sender waits for the answer. */
static bool obey(struct hold *hold)
{
    char line[4096];

    if (!fgets(line, sizeof(line), stdin))
        return false;
    hold->unanswered = hold->count;
    for (unsigned i = 0; i < hold->count; i++) {
        ws_add(&hold->connections[i], line, strcspn(line, "\n"));
        ws_flush(&hold->connections[i]);
    }
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
