#pragma once

#include <stdint.h>

#include "agents/runtime/work.h"
#include "agents/sync/processes/declared.h"

/*
 * publish - a call that is kept goes to the queue of its process.
 *
 * The work's state begins with the struct ending of that call: if the broker does not take it, the
 * call ends.
 */

/* What of the message differs from call to call: key, who asks, body; the rest is put in here.
 * `deadline_ms` 0: nobody answers. Goes on with `then` when the broker has it. */
enum work_step publish_call(struct work *work, const struct process *process,
                            const struct msg *fields, int64_t deadline_ms, work_fn *then);
