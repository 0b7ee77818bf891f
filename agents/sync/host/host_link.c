#include "agents/sync/host/host_link.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/awaited.h"
#include "agents/sync/host/executor.h"
#include "agents/sync/host/tickets.h"
#include "agents/sync/metrics.h"
#include "agents/sync/processes/declared.h"
#include "common/amqp/amqp_link.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/thread/msgq.h"
#include "common/thread/wake.h"

#define STOP_PATIENCE_MS 10000
#define RETRY_MS         20   /* while the broker takes nothing */
#define IDLE_MS          500  /* and how often it is looked who is late */
#define MOST_PROGRESS    1024 /* messages of progress that wait for the link; more are lost */

struct host_link {
    const struct declared *declared;
    struct served *served;
    struct lane **lanes; /* one of each */
    size_t lane_count;
    struct amqp_link *amqp;
    struct metrics *metrics; /* the agent's */
    struct wake *wake;
    struct msgq *told;
    struct tickets tickets;
    struct awaited_ring awaited;
    pthread_t thread;
    atomic_bool stopping;
    bool stopped; /* nothing new is taken */
    bool crowded; /* the broker has refused something: not again at once */
};

/* What becomes of a delivery, if it still counts. */
enum settling { ACKNOWLEDGE, GIVE_BACK };

static void settle(struct host_link *link, struct ticket *ticket, enum settling how)
{
    if (ticket->tag && how == ACKNOWLEDGE)
        amqp_link_ack(link->amqp, ticket->tag, false);
    else if (ticket->tag)
        amqp_link_reject(link->amqp, ticket->tag, true);
    tickets_remove(&link->tickets, ticket);
}

/* ---- Taking calls ---- */

static struct lane *lane_of(const struct host_link *link, const char *queue)
{
    for (size_t i = 0; i < link->lane_count; i++) {
        if (!strcmp(lane_queue(link->lanes[i]), queue))
            return link->lanes[i];
    }
    return NULL;
}

/* What is asked for: its name is the message's type. NULL: it is not declared for this queue. */
static const struct process *process_of(const struct host_link *link, const struct msg *m)
{
    const struct process *process = m->type ? declared_process(link->declared, m->type) : NULL;

    return process && !strcmp(process->queue, m->queue) ? process : NULL;
}

static void take(struct host_link *link, struct lane *lane, const struct msg *m, uint64_t tag)
{
    struct ticket *ticket = tickets_add(&link->tickets, m, tag);
    struct task *task = task_create(m, process_of(link, m), ticket->number);

    ticket->lane = lane;
    ticket->give_up_ms = task->call.deadline_ms + HOST_GRACE_MS;
    lane_put_take(lane, &task);
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct host_link *link = arg;
    struct ticket *known = redelivered ? tickets_by_call(&link->tickets, m) : NULL;
    struct lane *lane = lane_of(link, m->queue);

    if (known)
        known->tag = tag;
    else if (!lane || lane_is_used_up(lane) || link->stopped)
        amqp_link_reject(link->amqp, tag, true);
    else
        take(link, lane, m, tag);
}

/* ---- Answers ---- */

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    struct host_link *link = arg;
    struct ticket *ticket = awaited_take(&link->awaited, number).item;

    if (!ticket)
        return;
    if (outcome == AMQP_REFUSED) {
        ticket->published = false;
        link->crowded = true;
        return;
    }
    if (outcome == AMQP_RETURNED)
        log_warn("host.unwanted", LOG_STR("queue", ticket->reply->queue));
    settle(link, ticket, ACKNOWLEDGE);
}

static void publish_replies(struct host_link *link)
{
    for (struct ticket *t = link->tickets.first, *next; t; t = next) {
        uint64_t number;
        enum err e = ERR_FULL;

        next = t->next;
        if (t->reply && !t->published)
            e = amqp_link_publish(link->amqp, t->reply, &number);
        if (!e) {
            awaited_add(&link->awaited, number, t, 0);
            t->published = true;
        } else if (e == ERR_RANGE) {
            log_error("host.unpublishable", LOG_STR("queue", t->reply->queue));
            settle(link, t, ACKNOWLEDGE);
        }
    }
}

/* Nobody needs to hear of progress that does not get through. */
static void publish_progress(struct host_link *link, const struct msg *m)
{
    uint64_t number;

    if (!amqp_link_publish(link->amqp, m, &number))
        awaited_add(&link->awaited, number, NULL, 0);
}

static void take_answer(struct host_link *link, struct ticket *ticket, struct told *told)
{
    (void)lane_answered(ticket->lane, ticket->number);
    ticket->reply = told->msg;
    told->msg = NULL;
    if (!ticket->reply)
        settle(link, ticket, ACKNOWLEDGE);
}

static void take_told(struct host_link *link)
{
    struct told *next;

    while ((next = msgq_pop(link->told))) {
        _cleanup_(told_destroyp) struct told *told = next;
        struct ticket *ticket = tickets_by_number(&link->tickets, told->number);

        if (!ticket)
            log_warn("host.late", LOG_I64("call", told->number));
        else if (told->last)
            take_answer(link, ticket, told);
        else if (told->msg)
            publish_progress(link, told->msg);
    }
}

/* ---- Who is late ---- */

static void give_back_waiting(struct host_link *link, struct lane *lane)
{
    for (struct ticket *t = link->tickets.first, *next; t; t = next) {
        next = t->next;
        if (t->lane == lane && lane_withdraw(lane, t->number))
            settle(link, t, GIVE_BACK);
    }
}

static void give_up(struct host_link *link, struct ticket *ticket)
{
    struct lane *lane = ticket->lane;
    const bool was_used_up = lane_is_used_up(lane);

    lane_give_up(lane, ticket->number);
    settle(link, ticket, ACKNOWLEDGE);
    if (was_used_up || !lane_is_used_up(lane))
        return;
    log_error("host.used_up", LOG_STR("queue", lane_queue(lane)));
    amqp_link_stop_queue(link->amqp, lane_queue(lane));
    give_back_waiting(link, lane);
}

static void look_who_is_late(struct host_link *link)
{
    const int64_t now = clock_mono_ms();

    for (struct ticket *t = link->tickets.first, *next; t; t = next) {
        next = t->next;
        if (now < t->give_up_ms || t->reply)
            continue;
        if (lane_withdraw(t->lane, t->number)) {
            settle(link, t, ACKNOWLEDGE);
        } else {
            give_up(link, t);
            next = link->tickets.first; /* others may have gone too */
        }
    }
}

/* ---- The link's state ---- */

static void on_up(void *arg)
{
    struct host_link *link = arg;

    metrics_set(link->metrics, HOST_BROKER_UP, 1);
    awaited_reset(&link->awaited);
}

/* What waits comes again; what runs or was answered goes on, and is known when it comes again. */
static void on_down(void *arg)
{
    struct host_link *link = arg;

    metrics_set(link->metrics, HOST_BROKER_UP, 0);
    awaited_reset(&link->awaited);
    for (struct ticket *t = link->tickets.first, *next; t; t = next) {
        next = t->next;
        t->tag = 0;
        t->published = false;
        if (lane_withdraw(t->lane, t->number))
            settle(link, t, ACKNOWLEDGE);
    }
}

/* ---- The thread ---- */

static bool is_unpublished(const struct host_link *link)
{
    const struct ticket *t = link->tickets.first;

    while (t && (!t->reply || t->published))
        t = t->next;
    return t != NULL;
}

static int sleep_ms(const struct host_link *link)
{
    int64_t left = is_unpublished(link) ? RETRY_MS : IDLE_MS;

    for (const struct ticket *t = link->tickets.first; t; t = t->next) {
        if (!t->reply && t->give_up_ms - clock_mono_ms() < left)
            left = t->give_up_ms - clock_mono_ms();
    }
    return left < 1 ? 1 : (int)left;
}

static void turn(struct host_link *link)
{
    amqp_link_turn(link->amqp, wake_fd(link->wake), sleep_ms(link));
    wake_drain(link->wake);
    take_told(link);
    look_who_is_late(link);
    if (!link->crowded)
        publish_replies(link);
    link->crowded = false;
}

static void *run(void *arg)
{
    struct host_link *link = arg;
    int64_t patience_ends;

    while (!atomic_load(&link->stopping))
        turn(link);
    link->stopped = true;
    amqp_link_stop_consuming(link->amqp);
    for (size_t i = 0; i < link->lane_count; i++)
        give_back_waiting(link, link->lanes[i]);
    patience_ends = clock_mono_ms() + STOP_PATIENCE_MS;
    while (link->tickets.first && amqp_link_is_up(link->amqp) && clock_mono_ms() < patience_ends)
        turn(link);
    return NULL;
}

/* ---- Start and stop ---- */

static void wake(void *arg)
{
    wake_signal(arg);
}

static void destroy_told(void *told)
{
    told_destroy(told);
}

static enum err create_lanes(struct host_link *link, const struct agent *agent,
                             const struct served *served, size_t count)
{
    enum err e = ERR_OK;

    link->lanes = calloc(count + 1, sizeof(struct lane *));
    if (!link->lanes)
        err_out_of_memory();
    for (size_t i = 0; i < count && !e; i++) {
        const struct lane_config config = {
            .queue = served[i].queue,
            .connector = served[i].connector,
            .own = served[i].own,
            .threads = served[i].threads,
            .max_stuck = (unsigned)agent->proc.settings.process_max_stuck,
            .told = link->told,
            .most_bytes = (size_t)agent->proc.settings.sync_max_answer_bytes,
        };

        e = lane_create(&config, &link->lanes[i]);
        link->lane_count += e ? 0 : 1;
    }
    return e;
}

/* As many calls as there are threads: one that waited here could run elsewhere. */
static struct amqp_queue *queues_of(const struct served *served, size_t count)
{
    struct amqp_queue *queues = calloc(count + 1, sizeof(*queues));

    if (!queues)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++)
        queues[i] = (struct amqp_queue){.name = served[i].queue,
                                        .consume = true,
                                        .quorum = true,
                                        .prefetch = (uint16_t)served[i].threads};
    return queues;
}

static enum err create_amqp(struct host_link *link, const struct agent *agent,
                            const struct served *served, size_t count)
{
    struct amqp_queue *queues = queues_of(served, count);
    char name[320];
    const struct amqp_link_config config = {
        .url = agent->proc.settings.amqp_url,
        .tls = settings_amqp_tls(&agent->proc.settings),
        .connection_name = name,
        .consumer_tag = name,
        .heartbeat_s = (uint16_t)agent->proc.settings.amqp_heartbeat_s,
        .queues = queues,
        .queue_count = count,
        .events = {.up = on_up, .down = on_down, .delivery = on_delivery, .outcome = on_outcome},
        .arg = link,
    };
    enum err e;

    snprintf(name, sizeof(name), "%s#host", agent->name);
    e = amqp_link_create(&config, &link->amqp);
    free(queues);
    return e;
}

static void destroy(struct host_link *link)
{
    bool told_in_use = false;

    for (size_t i = 0; i < link->lane_count; i++) {
        link->served[i].in_use = !lane_destroy(link->lanes[i]);
        told_in_use = told_in_use || link->served[i].in_use;
    }
    while (link->tickets.first)
        tickets_remove(&link->tickets, link->tickets.first);
    amqp_link_destroy(link->amqp);
    awaited_deinit(&link->awaited);
    free(link->lanes);
    if (!told_in_use) {
        msgq_destroy(link->told);
        wake_destroy(link->wake);
    }
    free(link);
}

enum err host_link_start(const struct agent *agent, const struct declared *declared,
                         struct served *served, size_t count, struct host_link **out)
{
    struct host_link *link = calloc(1, sizeof(*link));
    enum err e;

    if (!link)
        return ERR_NOMEM;
    link->declared = declared;
    link->metrics = agent->own_metrics;
    link->served = served;
    e = wake_create(&link->wake);
    if (!e)
        e = msgq_create(MOST_PROGRESS, destroy_told, wake, link->wake, &link->told);
    if (!e)
        e = create_amqp(link, agent, served, count);
    if (!e)
        e = create_lanes(link, agent, served, count);
    if (!e && pthread_create(&link->thread, NULL, run, link))
        e = ERR_IO;
    if (e)
        destroy(link);
    else
        *out = link;
    return e;
}

void host_link_stop(struct host_link *link)
{
    atomic_store(&link->stopping, true);
    wake_signal(link->wake);
    pthread_join(link->thread, NULL);
    destroy(link);
}
