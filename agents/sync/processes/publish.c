#include "agents/sync/processes/publish.h"

#include "agents/sync/processes/ending.h"
#include "common/base/clock.h"
#include "common/base/fault.h"

#define REPLIES_TO "processReplied"

static enum work_step end_unpublished(struct work *work, enum response_code code,
                                      const char *reason)
{
    struct ending *ending = work->state;

    outcome_fail(&ending->outcome, code, reason);
    text_add(&ending->by, "unpublished");
    return ending_begin(work, work_done);
}

static enum work_step published(struct work *work)
{
    const struct ending *ending = work->state;

    fault_point("after-call-published");
    if (!work->sent[0].told)
        return WORK_DONE; /* whatever asked for the call comes again, or its deadline does */
    if (work->sent[0].outcome == AMQP_RETURNED)
        return end_unpublished(work, CODE_PROCESS_FAILED, "no worker serves it now");
    if (work->sent[0].outcome == AMQP_REFUSED)
        return end_unpublished(work, CODE_TOO_MANY, "too many calls of it wait");
    return ending->published(work);
}

enum work_step publish_call(struct work *work, const struct process *process,
                            const struct msg *fields, int64_t deadline_ms, work_fn *then)
{
    const int64_t left_ms = deadline_ms - clock_wall_ms();
    struct ending *ending = work->state;
    struct msg call = *fields;

    ending->published = then;
    call.queue = process->queue;
    call.type = process->name;
    call.correlation_id = text_str(&ending->call);
    call.persistent = call.mandatory = true;
    if (deadline_ms) {
        call.reply_to = REPLIES_TO;
        call.deadline_ms = deadline_ms;
        call.expiration_ms = left_ms > 0 ? (uint32_t)left_ms : 1;
    }
    work_add_out(work, &call);
    return work_publish(work, published);
}
