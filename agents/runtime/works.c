#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/metrics.h"
#include "agents/runtime/presence.h"
#include "agents/runtime/works_private.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/format.h"
#include "common/protocol/seal.h"

/* ---- Works ---- */

static void runner_link(struct work_runner *runner)
{
    struct works *works = runner->works;

    runner->previous = NULL;
    runner->following = works->all;
    if (works->all)
        works->all->previous = runner;
    works->all = runner;
}

static void runner_unlink(struct work_runner *runner)
{
    if (runner->previous)
        runner->previous->following = runner->following;
    else
        runner->works->all = runner->following;
    if (runner->following)
        runner->following->previous = runner->previous;
}

static struct work_runner *runner_create(struct works *works)
{
    struct work_runner *runner = calloc(1, sizeof(*runner));

    if (!runner)
        err_out_of_memory();
    runner->works = works;
    runner->work.agent = works->agent;
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
    for (struct work_runner *r = parent->works->all; parent->children && r; r = r->following) {
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
        runner->works->polling = false;
    runner_leave_job(runner);
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

static void destroy_runners(struct works *works)
{
    struct work_runner *next;

    for (struct work_runner *r = works->all; r; r = next) {
        next = r->following;
        runner_free(r);
    }
    works->all = NULL;
}

/* The last of its children is done: it goes on. */
static void runner_joined(struct work_runner *runner)
{
    runner->joining = false;
    runner_place(runner, runner->work.next(&runner->work));
}

static void count_end(const struct work_runner *runner, enum figure how)
{
    agent_metrics_ended(runner->works->agent->metrics, &runner->work.request, how,
                        clock_mono_us() - runner->taken_us);
}

static void delivery_done(struct work_runner *runner)
{
    acks_settle(&runner->works->acks, runner->tag);
    count_end(runner, runner->work.refused ? FIGURE_REFUSED : FIGURE_ANSWERED);
}

static void runner_done(struct work_runner *runner)
{
    struct work_runner *parent = runner->parent;

    if (runner->tag)
        delivery_done(runner);
    runner->parent = NULL;
    runner_destroy(runner);
    if (parent && !--parent->children && parent->joining)
        runner_joined(parent);
}

void runner_place(struct work_runner *runner, enum work_step step)
{
    struct works *works = runner->works;

    if (step == WORK_CALL) {
        line_push(&works->calls, runner);
    } else if (step == WORK_PUBLISH) {
        runner->unpublished = 0;
        runner->unconfirmed = runner->work.out_count;
        line_push(&works->outbox, runner);
    } else if (step == WORK_JOIN) {
        runner->joining = true;
        if (!runner->children)
            runner_joined(runner);
    } else if (step == WORK_COUNT) {
        runner_count(runner);
    } else if (step == WORK_ASIDE) {
        runner_aside(runner);
    } else {
        runner_done(runner);
    }
}

void runner_sent(struct work_runner *runner)
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
    struct work_runner *runner = runner_create(work->runner->works);

    runner->work.state = state;
    runner->work.state_destroy = state_destroy;
    runner_place(runner, first(&runner->work));
}

/* ---- Calls ---- */

/* Runs a batch of calls, of which there is one at least. False: Redis is away. */
static bool run_batch(struct works *works, struct redis_call *const *calls, size_t count)
{
    struct metrics *m = works->agent->metrics;
    const int64_t begun_us = clock_mono_us();
    const bool is_up = !redis_link_run(works->redis, calls, count);

    agent_metrics_link(m, FIGURE_REDIS_UP, &works->redis_is_up, is_up);
    if (!is_up)
        return false;
    metrics_observe(m, FIGURE_REDIS_SECONDS, clock_mono_us() - begun_us);
    metrics_add(m, FIGURE_REDIS_CALLS, (int64_t)count);
    return true;
}

static void tell_of_error(const struct works *works, const struct redis_call *call)
{
    metrics_add(works->agent->metrics, FIGURE_REDIS_ERRORS, 1);
    log_error("redis.refused", LOG_STR("script", call->script ? call->script->name : NULL),
              LOG_STR("reply", redis_str(call->reply)));
}

void works_run_calls(struct works *works)
{
    struct redis_call *calls[1024];
    struct work_runner *runners[1024];
    size_t most = (size_t)works->agent->proc.settings.agent_batch, count = 0;

    if (most > ARRAY_SIZE(calls))
        most = ARRAY_SIZE(calls);
    for (; count < most && works->calls.count > count; count++) {
        runners[count] = line_at(&works->calls, count);
        calls[count] = &runners[count]->work.call;
    }
    works->redis_away = count && !run_batch(works, calls, count);
    if (works->redis_away)
        return; /* they stay in line: every call may be run again */
    for (size_t i = 0; i < count; i++)
        line_pop(&works->calls);
    for (size_t i = 0; i < count; i++) {
        if (redis_is_error(calls[i]->reply))
            tell_of_error(works, calls[i]);
        runner_place(runners[i], runners[i]->work.next(&runners[i]->work));
    }
}

/* ---- Deliveries ---- */

enum work_step work_begin(struct work *work)
{
    const struct operation *operation = work->request.operation;
    const struct handler *handler = operation ? agent_handler(work->agent, operation->name) : NULL;

    if (!handler)
        return work_error(work, CODE_NOT_IMPLEMENTED, "this operation is not served");
    return handler->plan(work);
}

/* False, with the step said, when it is sealed and we cannot open it. */
static bool open_request(struct work *work, const struct operation *operation, struct msg *m,
                         struct text *opened, enum work_step *step)
{
    const struct seal *seal = work->agent->seal;

    if (!seal_is_on(m))
        return true;
    if (seal && !seal_open(seal, m, opened)) {
        m->body = text_str(opened);
        m->size = opened->size;
        return true;
    }
    m->encoding = NULL; /* neither is the answer sealed */
    request_keep(&work->request, operation, m);
    log_error("request.sealed", LOG_STR("operation", m->queue), LOG_STR("client", m->client));
    *step = work_error(work, CODE_INTERNAL, "the request is sealed, and not for this agent");
    return false;
}

/* In a format that we do not know: whoever waits is told, and what has effects is kept. */
static enum work_step refuse_format(struct work *work, const struct msg *delivered)
{
    struct msg m = *delivered;
    char why[64];

    snprintf(why, sizeof(why), "unknown format %u", delivered->format);
    metrics_add(work->agent->metrics, FIGURE_FORMAT_UNKNOWN, 1);
    log_error("request.format", LOG_STR("operation", m.queue), LOG_STR("from", m.app_id),
              LOG_I64("format", m.format));
    if (m.persistent)
        work_add_letter(work, &m, why);
    m.encoding = NULL; /* nor is it known how answers would be sealed */
    request_keep(&work->request, operation_by_name(m.queue, strlen(m.queue)), &m);
    if (m.reply_to)
        return work_error(work, CODE_BACK_END_AWAY, why);
    return work->out_count ? work_publish(work, work_done) : WORK_DONE;
}

static bool read_request(struct work *work, const struct msg *delivered, enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    _cleanup_(text_wipep) struct text opened = {0};
    struct msg opened_msg = *delivered, *m = &opened_msg;
    const struct operation *operation = operation_by_name(m->queue, strlen(m->queue));
    const struct handler *handler = operation ? agent_handler(work->agent, operation->name) : NULL;

    if (!format_is_read(m->format)) {
        *step = refuse_format(work, m);
        return false;
    }
    if (handler && handler->any_body) {
        request_keep(&work->request, operation, m);
        return true;
    }
    if (!open_request(work, operation, m, &opened, step))
        return false;
    if (!request_read(&work->request, operation, m, &problem))
        return true;
    *step = work_error(work, CODE_MALFORMED, text_str(&problem));
    return false;
}

static enum work_step begin_request(struct work *work, const struct msg *m, bool redelivered)
{
    work_fn *keep = work->agent->definition->keep;
    enum work_step step;
    const bool is_good = read_request(work, m, &step);

    work->request.redelivered = redelivered;
    agent_metrics_taken(work->agent->metrics, &work->request);
    if (!is_good)
        return step;
    return keep && m->keep && work->request.message_id ? keep(work) : work_begin(work);
}

void work_again(const struct work *work, const struct msg *fields, const char *told)
{
    struct work_runner *runner = runner_create(work->runner->works);
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

void works_take(struct works *works, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct work_runner *runner = runner_create(works);

    runner->tag = tag;
    runner->taken_us = clock_mono_us();
    acks_begin(&works->acks, tag);
    runner_place(runner, begin_request(&runner->work, m, redelivered));
}

void works_poll(struct works *works)
{
    struct work_runner *runner = runner_create(works);

    works->polling = true;
    runner->is_poll = true;
    runner_place(runner, presence_poll(&runner->work));
}

/* ---- The link to the broker ---- */

void works_link_up(struct works *works)
{
    agent_metrics_link(works->agent->metrics, FIGURE_BROKER_UP, &works->broker_is_up, true);
    awaited_reset(&works->awaited);
}

/* Its answer may have gone out. When the request comes again, another answer will be made, but the
 * client may take the first: whether that one was overtaken has to be looked at all the same. */
static bool has_answered(const struct work_runner *runner)
{
    const struct work *work = &runner->work;

    return work->request.operation && !runner->children && !runner->counting &&
           (work->out_count ? runner->unpublished == work->out_count : runner->has_spoken);
}

static void go_on_alone(struct work_runner *runner)
{
    runner_link(runner);
    runner->tag = 0;
    runner->parent = NULL;
    if (runner->work.out_count)
        runner_sent(runner);
    else if (!runner->job) /* one that is aside goes on when it is back */
        line_push(&runner->works->calls, runner);
}

void works_link_down(struct works *works)
{
    struct work_runner *r = works->all, *next;

    line_clear(&works->calls);
    line_clear(&works->outbox);
    awaited_reset(&works->awaited);
    counts_reset(&works->counts);
    acks_reset(&works->acks);
    works->all = NULL;
    agent_metrics_link(works->agent->metrics, FIGURE_BROKER_UP, &works->broker_is_up, false);
    for (; r; r = next) {
        next = r->following;
        if (r->tag)
            count_end(r, FIGURE_DROPPED);
        if (has_answered(r))
            go_on_alone(r);
        else
            runner_free(r);
    }
}

void works_deinit(struct works *works)
{
    destroy_runners(works);
    line_deinit(&works->calls);
    line_deinit(&works->outbox);
    counts_deinit(&works->counts);
    acks_deinit(&works->acks);
    awaited_deinit(&works->awaited);
}
