#include "agents/sync/host/lane.h"

#include <stdlib.h>
#include <string.h>

#include "agents/sync/host/executor.h"
#include "common/base/log.h"

/* A thread, and what it runs. */
struct seat {
    struct executor *executor; /* NULL: was given up, and not replaced */
    uint64_t number;           /* of the task; 0: none */
};

struct lane {
    struct lane_config config;
    struct seat *seats; /* config.threads of them */
    struct task **waiting;
    size_t waiting_count, waiting_room;
    struct executor **given_up; /* `stuck` of them */
    unsigned stuck;
    bool used_up;
};

/* ---- Life ---- */

static enum err start(const struct lane *lane, struct executor **out)
{
    const struct executor_config config = {
        .connector = lane->config.connector,
        .own = lane->config.own,
        .told = lane->config.told,
        .most_bytes = lane->config.most_bytes,
    };

    return executor_start(&config, out);
}

static void give_up(struct lane *lane, struct seat *seat)
{
    struct executor **grown = realloc(lane->given_up, (lane->stuck + 1) * sizeof(*grown));

    if (!grown)
        err_out_of_memory();
    lane->given_up = grown;
    executor_give_up(seat->executor);
    grown[lane->stuck++] = seat->executor;
    *seat = (struct seat){0};
}

enum err lane_create(const struct lane_config *config, struct lane **out)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    enum err e = ERR_OK;

    if (!lane || !(lane->seats = calloc(config->threads, sizeof(*lane->seats))))
        err_out_of_memory();
    lane->config = *config;
    for (unsigned i = 0; i < config->threads && !e; i++)
        e = start(lane, &lane->seats[i].executor);
    if (e)
        (void)lane_destroy(lane);
    else
        *out = lane;
    return e;
}

/* They came back by now, or never do. */
static bool let_go(struct lane *lane)
{
    bool all_came_back = true;

    for (unsigned i = 0; i < lane->stuck; i++)
        all_came_back = executor_let_go(lane->given_up[i]) && all_came_back;
    free(lane->given_up);
    return all_came_back;
}

bool lane_destroy(struct lane *lane)
{
    bool all_came_back;

    for (unsigned i = 0; i < lane->config.threads; i++) {
        struct seat *seat = &lane->seats[i];

        if (!seat->executor)
            continue;
        if (seat->number)
            give_up(lane, seat);
        else
            executor_end(seat->executor);
    }
    all_came_back = let_go(lane);
    for (size_t i = 0; i < lane->waiting_count; i++)
        task_destroy(lane->waiting[i]);
    free(lane->waiting);
    free(lane->seats);
    free(lane);
    return all_came_back;
}

const char *lane_queue(const struct lane *lane)
{
    return lane->config.queue;
}

unsigned lane_threads(const struct lane *lane)
{
    return lane->config.threads;
}

bool lane_is_used_up(const struct lane *lane)
{
    return lane->used_up;
}

/* ---- Seats ---- */

/* The one with this task; with 0 a free one. NULL: none. */
static struct seat *seat_of(const struct lane *lane, uint64_t number)
{
    for (unsigned i = 0; i < lane->config.threads; i++) {
        if (lane->seats[i].executor && lane->seats[i].number == number)
            return &lane->seats[i];
    }
    return NULL;
}

static void run_take(struct seat *seat, struct task **task)
{
    seat->number = (*task)->number;
    executor_run_take(seat->executor, task);
}

static struct task *take_waiting(struct lane *lane, size_t i)
{
    struct task *task = lane->waiting[i];

    lane->waiting_count--;
    memmove(&lane->waiting[i], &lane->waiting[i + 1],
            (lane->waiting_count - i) * sizeof(struct task *));
    return task;
}

static void run_next(struct lane *lane, struct seat *seat)
{
    struct task *task;

    seat->number = 0;
    if (!lane->waiting_count)
        return;
    task = take_waiting(lane, 0);
    run_take(seat, &task);
}

/* ---- Tasks ---- */

static void wait_take(struct lane *lane, struct task **task)
{
    if (lane->waiting_count == lane->waiting_room) {
        size_t room = lane->waiting_room * 2 + lane->config.threads;
        struct task **grown = realloc(lane->waiting, room * sizeof(struct task *));

        if (!grown)
            err_out_of_memory();
        lane->waiting = grown;
        lane->waiting_room = room;
    }
    lane->waiting[lane->waiting_count++] = *task;
    *task = NULL;
}

void lane_put_take(struct lane *lane, struct task **task)
{
    struct seat *seat = seat_of(lane, 0);

    if (seat)
        run_take(seat, task);
    else
        wait_take(lane, task);
}

bool lane_withdraw(struct lane *lane, uint64_t number)
{
    for (size_t i = 0; i < lane->waiting_count; i++) {
        if (lane->waiting[i]->number == number) {
            task_destroy(take_waiting(lane, i));
            return true;
        }
    }
    return false;
}

bool lane_answered(struct lane *lane, uint64_t number)
{
    struct seat *seat = seat_of(lane, number);

    if (seat)
        run_next(lane, seat);
    return seat != NULL;
}

bool lane_runs(const struct lane *lane, uint64_t number)
{
    return seat_of(lane, number) != NULL;
}

void lane_give_up(struct lane *lane, uint64_t number)
{
    struct seat *seat = seat_of(lane, number);

    if (!seat)
        return;
    give_up(lane, seat);
    log_error("host.stuck", LOG_STR("queue", lane->config.queue), LOG_I64("threads", lane->stuck),
              LOG_I64("most", lane->config.max_stuck));
    if (lane->stuck <= lane->config.max_stuck && !start(lane, &seat->executor))
        run_next(lane, seat);
    else
        lane->used_up = true;
}
