#include "agents/runtime/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/acks.h"
#include "agents/runtime/awaited.h"
#include "agents/runtime/line.h"
#include "agents/runtime/presence.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/thread/wake.h"

#define STOP_PATIENCE_MS 10000
#define RETRY_MS         10 /* while Redis is away or the broker's socket is full */
#define IDLE_MS          1000
#define MOST_ROUNDS      8 /* to Redis, before the broker is looked at again */

/* A work, and where it stands. At each moment it waits in exactly one place: `calls`, `outbox`,
 * `awaited`, or for its children. */
struct work_runner {
    struct work work;
    struct worker *worker;
    uint64_t tag;       /* of the delivery; 0: none */
    size_t unpublished; /* the first of work.out that is not published yet */
    size_t unconfirmed;
    bool has_spoken; /* all that it has published was told of */
    bool is_poll;
    struct work_runner *parent; /* that has started it again; NULL: none, or gone */
    size_t children;
    bool joining;
    struct work_runner *previous, *following; /* in worker->works */
};

struct worker {
    const struct agent *agent;
    pthread_t thread;
    atomic_bool stopping;
    struct wake *wake;
    struct amqp_link *amqp;
    struct redis_link *redis;
    struct work_runner *works;
    struct line calls, outbox;
    struct awaited_ring awaited; /* works that wait for outcomes, by publish number */
    struct acks acks;
    int64_t next_poll_ms;
    bool polling, redis_away;
};

/* ---- Works ---- */

static void runner_link(struct work_runner *runner)
{
    struct worker *worker = runner->worker;

    runner->previous = NULL;
    runner->following = worker->works;
    if (worker->works)
        worker->works->previous = runner;
    worker->works = runner;
}

static void runner_unlink(struct work_runner *runner)
{
    if (runner->previous)
        runner->previous->following = runner->following;
    else
        runner->worker->works = runner->following;
    if (runner->following)
        runner->following->previous = runner->previous;
}

static struct work_runner *runner_create(struct worker *worker)
{
    struct work_runner *runner = calloc(1, sizeof(*runner));

    if (!runner)
        err_out_of_memory();
    runner->worker = worker;
    runner->work.agent = worker->agent;
    runner->work.runner = runner;
    runner_link(runner);
    return runner;
}

static void forget_messages(struct work_out **list, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        msg_destroy((*list)[i].msg);
    free(*list);
    *list = NULL;
    *count = 0;
}

static void orphan(struct work_runner *parent)
{
    for (struct work_runner *r = parent->worker->works; parent->children && r; r = r->following) {
        if (r->parent == parent) {
            r->parent = NULL;
            parent->children--;
        }
    }
}

/* One that is linked nowhere any more. */
static void runner_free(struct work_runner *runner)
{
    struct work *work = &runner->work;

    if (runner->is_poll)
        runner->worker->polling = false;
    if (work->state_destroy)
        work->state_destroy(work->state);
    forget_messages(&work->out, &work->out_count);
    forget_messages(&work->sent, &work->sent_count);
    redis_call_deinit(&work->call);
    request_deinit(&work->request);
    free(runner);
}

static void runner_destroy(struct work_runner *runner)
{
    orphan(runner);
    runner_unlink(runner);
    runner_free(runner);
}

static void destroy_runners(struct worker *worker)
{
    struct work_runner *next;

    for (struct work_runner *r = worker->works; r; r = next) {
        next = r->following;
        runner_free(r);
    }
    worker->works = NULL;
}

static void runner_place(struct work_runner *runner, enum work_step step);

/* The last of its children is done: it goes on. */
static void runner_joined(struct work_runner *runner)
{
    runner->joining = false;
    runner_place(runner, runner->work.next(&runner->work));
}

static void runner_done(struct work_runner *runner)
{
    struct work_runner *parent = runner->parent;

    if (runner->tag)
        acks_settle(&runner->worker->acks, runner->tag);
    runner->parent = NULL;
    runner_destroy(runner);
    if (parent && !--parent->children && parent->joining)
        runner_joined(parent);
}

/* Puts the work where its step says that it waits. */
static void runner_place(struct work_runner *runner, enum work_step step)
{
    struct worker *worker = runner->worker;

    if (step == WORK_CALL) {
        line_push(&worker->calls, runner);
    } else if (step == WORK_PUBLISH) {
        runner->unpublished = 0;
        runner->unconfirmed = runner->work.out_count;
        line_push(&worker->outbox, runner);
    } else if (step == WORK_JOIN) {
        runner->joining = true;
        if (!runner->children)
            runner_joined(runner);
    } else {
        runner_done(runner);
    }
}

/* Everything was published and told of: the step after it sees the outcomes. */
static void runner_sent(struct work_runner *runner)
{
    struct work *work = &runner->work;
    enum work_step step;

    work->sent = work->out;
    work->sent_count = work->out_count;
    work->out = NULL;
    work->out_count = 0;
    runner->has_spoken = true;
    step = work->next(work);
    forget_messages(&work->sent, &work->sent_count);
    runner_place(runner, step);
}

void work_spawn(const struct work *work, work_fn *first, void *state,
                void (*state_destroy)(void *state))
{
    struct work_runner *runner = runner_create(work->runner->worker);

    runner->work.state = state;
    runner->work.state_destroy = state_destroy;
    runner_place(runner, first(&runner->work));
}

/* ---- Calls ---- */

static void run_calls(struct worker *worker)
{
    struct redis_call *calls[1024];
    struct work_runner *runners[1024];
    size_t most = (size_t)worker->agent->proc.settings.agent_batch, count = 0;

    if (most > ARRAY_SIZE(calls))
        most = ARRAY_SIZE(calls);
    for (; count < most && worker->calls.count > count; count++) {
        runners[count] = line_at(&worker->calls, count);
        calls[count] = &runners[count]->work.call;
    }
    worker->redis_away = count && redis_link_run(worker->redis, calls, count);
    if (worker->redis_away)
        return; /* they stay in line: every call may be run again */
    for (size_t i = 0; i < count; i++)
        line_pop(&worker->calls);
    for (size_t i = 0; i < count; i++) {
        if (redis_is_error(calls[i]->reply))
            log_error("redis.refused",
                      LOG_STR("script", calls[i]->script ? calls[i]->script->name : NULL),
                      LOG_STR("reply", redis_str(calls[i]->reply)));
        runner_place(runners[i], runners[i]->work.next(&runners[i]->work));
    }
}

/* ---- Messages ---- */

/* Publishes what is left of one work. False: the broker does not take more now. */
static bool publish(struct worker *worker, struct work_runner *runner)
{
    for (; runner->unpublished < runner->work.out_count; runner->unpublished++) {
        uint64_t number;
        enum err e =
            amqp_link_publish(worker->amqp, runner->work.out[runner->unpublished].msg, &number);

        if (e == ERR_FULL || e == ERR_AWAY)
            return false;
        if (!e) {
            awaited_add(&worker->awaited, number, runner, runner->unpublished);
            continue;
        }
        log_error("worker.unpublishable", LOG_ERR(e)); /* its outcome stays "refused" */
        runner->unconfirmed--;
    }
    return true;
}

/* In order, as far as the broker takes it; the rest stays. */
static void flush_outbox(struct worker *worker)
{
    struct work_runner *runner;

    while ((runner = line_first(&worker->outbox)) && publish(worker, runner)) {
        line_pop(&worker->outbox);
        if (!runner->unconfirmed)
            runner_sent(runner);
    }
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    struct worker *worker = arg;
    struct awaited awaited = awaited_take(&worker->awaited, number);
    struct work_runner *runner = awaited.item;

    if (!runner)
        return;
    runner->work.out[awaited.part].outcome = outcome;
    if (!--runner->unconfirmed && runner->unpublished == runner->work.out_count)
        runner_sent(runner);
}

/* ---- Deliveries ---- */

static const struct handler *handler_of(const struct agent *agent, const char *operation)
{
    for (size_t i = 0; i < agent->definition->handler_count; i++) {
        if (!strcmp(agent->definition->handlers[i].operation, operation))
            return &agent->definition->handlers[i];
    }
    return NULL;
}

enum work_step work_begin(struct work *work)
{
    const struct operation *operation = work->request.operation;
    const struct handler *handler = operation ? handler_of(work->agent, operation->name) : NULL;

    if (!handler)
        return work_error(work, CODE_NOT_IMPLEMENTED, "this operation is not served");
    return handler->plan(work);
}

static bool read_request(struct work *work, const struct msg *m, enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    const struct operation *operation = operation_by_name(m->queue, strlen(m->queue));

    if (!request_read(&work->request, operation, m, &problem))
        return true;
    *step = work_error(work, CODE_MALFORMED, text_str(&problem));
    return false;
}

static enum work_step begin_request(struct work *work, const struct msg *m, bool redelivered)
{
    work_fn *keep = work->agent->definition->keep;
    enum work_step step;

    if (!read_request(work, m, &step))
        return step;
    work->request.redelivered = redelivered;
    return keep && m->keep && work->request.message_id ? keep(work) : work_begin(work);
}

void work_again(const struct work *work, const struct msg *fields, const char *told)
{
    struct work_runner *runner = runner_create(work->runner->worker);
    struct request *request = &runner->work.request;
    enum work_step step;

    runner->parent = work->runner;
    work->runner->children++;
    if (read_request(&runner->work, fields, &step)) {
        request->again = true;
        text_add_bytes(&request->told_again, told, strlen(told) + 1);
        request->told = request->told_again.at;
        step = work_begin(&runner->work);
    }
    runner_place(runner, step);
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct worker *worker = arg;
    struct work_runner *runner = runner_create(worker);

    runner->tag = tag;
    acks_begin(&worker->acks, tag);
    runner_place(runner, begin_request(&runner->work, m, redelivered));
}

static void on_up(void *arg)
{
    struct worker *worker = arg;

    awaited_reset(&worker->awaited);
}

/* Its answer may have gone out. When the request comes again, another answer will be made, but the
 * client may take the first: whether that one was overtaken has to be looked at all the same. */
static bool has_answered(const struct work_runner *runner)
{
    const struct work *work = &runner->work;

    return work->request.operation && !runner->children &&
           (work->out_count ? runner->unpublished == work->out_count : runner->has_spoken);
}

static void go_on_alone(struct work_runner *runner)
{
    runner_link(runner);
    runner->tag = 0;
    runner->parent = NULL;
    if (runner->work.out_count)
        runner_sent(runner);
    else
        line_push(&runner->worker->calls, runner);
}

/* Requests come again; jobs are claimed again when their lease is over. */
static void on_down(void *arg)
{
    struct worker *worker = arg;
    struct work_runner *r = worker->works, *next;

    line_clear(&worker->calls);
    line_clear(&worker->outbox);
    awaited_reset(&worker->awaited);
    acks_reset(&worker->acks);
    worker->works = NULL;
    for (; r; r = next) {
        next = r->following;
        if (has_answered(r))
            go_on_alone(r);
        else
            runner_free(r);
    }
}

/* ---- The thread ---- */

/* What is found could not be sent while the broker is away. */
static bool may_poll(const struct worker *worker)
{
    return !worker->polling && amqp_link_is_up(worker->amqp) && !atomic_load(&worker->stopping);
}

static void poll_if_due(struct worker *worker)
{
    int64_t now = clock_mono_ms();
    struct work_runner *runner;

    if (!may_poll(worker) || now < worker->next_poll_ms)
        return;
    worker->next_poll_ms = now + worker->agent->proc.settings.sync_poll_ms;
    worker->polling = true;
    runner = runner_create(worker);
    runner->is_poll = true;
    runner_place(runner, presence_poll(&runner->work));
}

static int sleep_ms(const struct worker *worker)
{
    int64_t left = IDLE_MS;

    if (worker->calls.count)
        return worker->redis_away ? RETRY_MS : 0;
    if (worker->outbox.count)
        return RETRY_MS;
    if (may_poll(worker))
        left = worker->next_poll_ms - clock_mono_ms();
    return left < 0 ? 0 : (int)(left < IDLE_MS ? left : IDLE_MS);
}

/* Steps follow each other at once, but the broker waits meanwhile: a work of many steps must not
 * keep requests and heartbeats from being read. */
static void turn(struct worker *worker)
{
    size_t rounds = 0;
    uint64_t tag;

    amqp_link_turn(worker->amqp, wake_fd(worker->wake), sleep_ms(worker));
    poll_if_due(worker);
    do {
        run_calls(worker);
        flush_outbox(worker);
    } while (worker->calls.count && !worker->redis_away && ++rounds < MOST_ROUNDS);
    if ((tag = acks_take(&worker->acks)))
        amqp_link_ack(worker->amqp, tag, true);
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    int64_t patience_ends;

    while (!atomic_load(&worker->stopping))
        turn(worker);
    amqp_link_stop_consuming(worker->amqp);
    wake_drain(worker->wake);
    patience_ends = clock_mono_ms() + STOP_PATIENCE_MS;
    while (worker->works && amqp_link_is_up(worker->amqp) && clock_mono_ms() < patience_ends)
        turn(worker);
    return NULL;
}

/* Queues of all operations that the agent serves, each under its own name. */
static struct amqp_queue *queues_of(const struct agent *agent, size_t *count)
{
    struct amqp_queue *queues = calloc(operation_count, sizeof(*queues));

    *count = 0;
    for (size_t i = 0; queues && i < operation_count; i++) {
        const struct operation *o = &operations[i];

        if (o->agent == agent->definition->serves && !o->served_by_name)
            queues[(*count)++] = (struct amqp_queue){.name = o->name, .consume = true};
    }
    return queues;
}

static enum err connect_links(struct worker *worker, unsigned number)
{
    const struct settings *settings = &worker->agent->proc.settings;
    char name[320];
    struct amqp_link_config config = {
        .url = settings->amqp_url,
        .connection_name = name,
        .consumer_tag = name,
        .heartbeat_s = (uint16_t)settings->amqp_heartbeat_s,
        .prefetch = (uint16_t)settings->agent_prefetch,
        .events = {.up = on_up, .down = on_down, .delivery = on_delivery, .outcome = on_outcome},
        .arg = worker,
    };
    struct amqp_queue *queues = queues_of(worker->agent, &config.queue_count);
    enum err e;

    snprintf(name, sizeof(name), "%s#%u", worker->agent->name, number);
    config.queues = queues;
    e = amqp_link_create(&config, &worker->amqp);
    free(queues);
    if (!e)
        e = redis_link_create(settings->redis_url, name, settings->redis_timeout_ms,
                              &worker->redis);
    return e;
}

static void worker_destroy(struct worker *worker)
{
    destroy_runners(worker);
    amqp_link_destroy(worker->amqp);
    redis_link_destroy(worker->redis);
    wake_destroy(worker->wake);
    line_deinit(&worker->calls);
    line_deinit(&worker->outbox);
    acks_deinit(&worker->acks);
    awaited_deinit(&worker->awaited);
    free(worker);
}

enum err worker_start(const struct agent *agent, unsigned number, struct worker **out)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    enum err e;

    if (!worker)
        return ERR_NOMEM;
    worker->agent = agent;
    e = wake_create(&worker->wake);
    if (!e)
        e = connect_links(worker, number);
    if (!e && pthread_create(&worker->thread, NULL, run, worker))
        e = ERR_IO;
    if (e) {
        worker_destroy(worker);
        return e;
    }
    *out = worker;
    return ERR_OK;
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->stopping, true);
    wake_signal(worker->wake);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    worker_destroy(worker);
}
