#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/load.h"
#include "tests/bench/ws.h"

/*
 * ws_load PORT CONNECTIONS DEPTH SECONDS EXPECTED REQUEST...
 *
 * Sends requests through a gateway, DEPTH of them in flight over so many connections, each logged
 * in on its own. The messageId of each request has to be @ID@.
 */

#define ANSWER_TO "\"correspondingMessageId\":\""

struct run {
    struct load load;
    struct ws *connections;
    unsigned connection_count;
    int epoll;
    struct text id, request;
};

static struct ws *connection_of(struct run *run, unsigned slot)
{
    return &run->connections[slot % run->connection_count];
}

static void ask(struct run *run, unsigned slot)
{
    load_ask(&run->load, slot, &run->id, &run->request);
    ws_add(connection_of(run, slot), run->request.at, run->request.size);
}

static void open_connection(struct run *run, struct ws *ws, unsigned port)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = ws};

    ws_open(ws, port);
    ws_login(ws, NULL);
    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, ws->fd, &event))
        measure_die("epoll_ctl", strerror(errno));
}

static void run_open(struct run *run, char **argv, unsigned request_count)
{
    run->connection_count = load_number(argv[2]);
    run->connections = calloc(run->connection_count, sizeof(*run->connections));
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!run->connections || run->epoll < 0)
        measure_die("cannot start", strerror(errno));
    for (unsigned i = 0; i < run->connection_count; i++)
        open_connection(run, &run->connections[i], load_number(argv[1]));
    load_init(&run->load, argv + 3, request_count);
}

static void run_close(struct run *run)
{
    for (unsigned i = 0; i < run->connection_count; i++)
        ws_close(&run->connections[i]);
    free(run->connections);
    (void)close(run->epoll);
    text_deinit(&run->id);
    text_deinit(&run->request);
    load_deinit(&run->load);
}

/* Each answer makes room for the next request; pushes are none of our business. */
static void serve(struct run *run, struct ws *ws)
{
    const char *frame, *id;
    size_t size;

    ws_read(ws);
    while ((frame = ws_next(ws, &size))) {
        if ((id = ws_find(frame, size, ANSWER_TO)))
            ask(run, load_answer(&run->load, id, frame, size));
    }
    ws_flush(ws);
}

static void work(struct run *run)
{
    struct epoll_event events[64];

    for (unsigned slot = 0; slot < run->load.depth; slot++)
        ask(run, slot);
    for (unsigned i = 0; i < run->connection_count; i++)
        ws_flush(&run->connections[i]);
    while (!measure_is_over(&run->load.measure)) {
        int count = epoll_wait(run->epoll, events, 64, 100);

        for (int i = 0; i < count; i++)
            serve(run, events[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    static struct run run;

    if (argc < 3 + LOAD_ARGC)
        measure_die("usage", "ws_load PORT CONNECTIONS " LOAD_ARGUMENTS "...");
    run_open(&run, argv, (unsigned)(argc - 3 - LOAD_ARGC + 1));
    work(&run);
    measure_print(&run.load.measure);
    run_close(&run);
    return EXIT_SUCCESS;
}
