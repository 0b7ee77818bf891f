#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/runtime/acks.h"
#include "agents/runtime/awaited.h"
#include "agents/runtime/counts.h"
#include "agents/runtime/line.h"
#include "agents/runtime/work.h"

/*
 * works - all that one worker is busy with, and where each work waits: for its call to Redis, to be
 * published, for the broker's word on what was published or on who consumes a queue, for a thread
 * beside the worker, or for works that it has started.
 *
 * work.h is what handlers see of it.
 *
 * Threads:   belongs to the worker's thread.
 * Ownership: the struct owns the works; agent, links and the threads beside are borrowed.
 */

struct works {
    const struct agent *agent;
    struct amqp_link *amqp;
    struct redis_link *redis;
    struct aside *aside; /* NULL: the agent has no threads beside its workers */
    struct work_runner *all;
    struct line calls, outbox;
    struct awaited_ring awaited; /* works that wait for outcomes, by publish number */
    struct counts counts;        /* works that wait for the broker's word on a queue */
    struct acks acks;
    bool polling;                   /* a look for due work is under way */
    bool redis_away;                /* the last calls could not be run */
    bool broker_is_up, redis_is_up; /* as the agent's metrics know it */
};

void works_deinit(struct works *works);

/* A delivery: the request begins. */
void works_take(struct works *works, const struct msg *m, uint64_t tag, bool redelivered);

/* The look for due work begins; see presence.h. */
void works_poll(struct works *works);

/* Runs the calls that wait, up to a batch, and the steps behind them. */
void works_run_calls(struct works *works);

/* Publishes what waits, in order, as far as the broker takes it; and asks what is to be asked. */
void works_flush(struct works *works);

/* The broker has told what became of the message of this number. */
void works_told(struct works *works, uint64_t number, enum amqp_outcome outcome);

/* The broker has told how many consumers a queue has. */
void works_counted(struct works *works, const char *queue, int64_t consumers);

/* The works whose jobs are back from the threads beside the worker go on. */
void works_take_aside(struct works *works);

/* The link to the broker is there again: numbers begin anew. */
void works_link_up(struct works *works);

/* It is lost: requests come again, jobs are claimed again when their lease is over. Only works that
 * may have answered go on. */
void works_link_down(struct works *works);
