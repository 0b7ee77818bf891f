#include "agents/runtime/agent.h"
#include "agents/runtime/metrics.h"
#include "agents/runtime/works_private.h"
#include "common/base/clock.h"
#include "common/base/log.h"

/* ---- Messages ---- */

/* Publishes what is left of one work. False: the broker does not take more now. */
static bool publish(struct works *works, struct work_runner *runner)
{
    for (; runner->unpublished < runner->work.out_count; runner->unpublished++) {
        uint64_t number;
        enum err e =
            amqp_link_publish(works->amqp, runner->work.out[runner->unpublished].msg, &number);

        if (e == ERR_FULL || e == ERR_AWAY)
            return false;
        if (!e) {
            awaited_add(&works->awaited, number, runner, runner->unpublished);
            continue;
        }
        log_error("works.unpublishable", LOG_ERR(e)); /* its outcome stays "refused" */
        runner->work.out[runner->unpublished].told = true;
        runner->unconfirmed--;
    }
    return true;
}

static void count_outcome(const struct works *works, enum amqp_outcome outcome)
{
    static const enum figure figures[] = {[AMQP_CONFIRMED] = FIGURE_MESSAGES,
                                          [AMQP_RETURNED] = FIGURE_MESSAGES_RETURNED,
                                          [AMQP_REFUSED] = FIGURE_MESSAGES_REFUSED};

    metrics_add(works->agent->metrics, figures[outcome], 1);
}

void works_told(struct works *works, uint64_t number, enum amqp_outcome outcome)
{
    struct awaited awaited = awaited_take(&works->awaited, number);
    struct work_runner *runner = awaited.item;

    count_outcome(works, outcome);
    if (!runner)
        return;
    runner->work.out[awaited.part].outcome = outcome;
    runner->work.out[awaited.part].told = true;
    if (!--runner->unconfirmed && runner->unpublished == runner->work.out_count)
        runner_sent(runner);
}

/* ---- Counts ---- */

void runner_count(struct work_runner *runner)
{
    struct work *work = &runner->work;

    if (counts_known(&runner->works->counts, work->counted, clock_mono_ms(), &work->consumers)) {
        runner_place(runner, work->next(work));
        return;
    }
    runner->counting = true;
    counts_wait(&runner->works->counts, work->counted, runner);
}

static void runner_counted(struct work_runner *runner, int64_t consumers)
{
    runner->counting = false;
    runner->work.consumers = consumers;
    runner_place(runner, runner->work.next(&runner->work));
}

/* What cannot be asked while the link is down is asked when it is there again. */
static void ask_counts(struct works *works)
{
    const char *queue;

    while ((queue = counts_unasked(&works->counts))) {
        enum err e = amqp_link_count_consumers(works->amqp, queue);

        if (e == ERR_AWAY)
            return;
        counts_asked(&works->counts);
        if (e)
            works_counted(works, queue, -1); /* no queue can have this name */
    }
}

void works_counted(struct works *works, const char *queue, int64_t consumers)
{
    int64_t fresh_ms = works->agent->proc.settings.process_presence_ms;
    struct line waiting =
        counts_answered(&works->counts, queue, consumers, clock_mono_ms() + fresh_ms);
    struct work_runner *runner;

    while ((runner = line_pop(&waiting)))
        runner_counted(runner, consumers);
    line_deinit(&waiting);
}

/* ---- Both ---- */

void works_flush(struct works *works)
{
    struct work_runner *runner;

    ask_counts(works);
    while ((runner = line_first(&works->outbox)) && publish(works, runner)) {
        line_pop(&works->outbox);
        if (!runner->unconfirmed)
            runner_sent(runner);
    }
}
