#pragma once

#include "agents/sync/watchers/compute.h"

/*
 * process - values that a process says (deploy/example/README.md, "A watcher").
 *
 * It is called with {"className", "ID", "fieldName", "params"} and answers with {"value": ...,
 * "reads": [{"className", "ID", "fieldName"}, ...]}: what the value was made of, so that a change
 * of that has the process asked again; without a fieldName any field of the object. Who asks for
 * the first value waits (the request is kept beside the value) and is answered when it is there,
 * with null if the process fails. What fails is tried again as long as somebody watches.
 *
 * What it says for the first time that it has read may have changed before that was known. So then
 * it is asked once more.
 */

/*
 * Asks the process, beside this work, whose state begins with a computing: unless somebody waits
 * whose answer is there or on its way. `waiting` is a request as answered.c answers it: queue,
 * correlation id (none of one that is carried out again), client, message id as JSON, params, a
 * line each; "": the value is due. `next` comes with the reply of watch_wait.lua.
 */
enum work_step process_ask(struct work *work, const char *waiting, work_fn *next);
