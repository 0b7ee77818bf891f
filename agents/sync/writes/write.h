#pragma once

#include "agents/runtime/agent.h"
#include "agents/sync/stored.h"

/*
 * write - what creates, puts, removals and transactions have in common (design section 8): the
 * arguments that every commit script begins with, the name under which its result is kept, answers
 * and refusals. The objects themselves are write_object.h's.
 *
 * A refusal is a response with result false and a SyncDataError in data (contract); to a client of
 * the content protocol it is an error.
 */

/* Adds the name under which the request's result is kept, operation:messageId:hash of what is
 * asked; nothing when there is no messageId. */
void write_add_result_name(struct text *out, const struct request *rq);

/* ---- Before the commit ---- */

/* Begins the commit of `script` with what all commits have: the listings and children that may
 * change with objects of the class `only`, or of all classes (NULL), who asks, and the result's
 * name. */
void write_begin_many(struct work *work, const struct redis_script *script,
                      const struct model_class *only);

/* Begins the commit of `script` on one object, with the listings that it may change; `id` "" asks
 * for the next integer. */
void write_begin(struct work *work, const struct redis_script *script,
                 const struct model_class *class_, const char *id, enum action action);

/* Answers with result false. `code` 0: the operation's own. */
enum work_step write_refuse(struct work *work, enum response_code code, const char *message);

/* ---- After it ---- */

/*
 * Looks at a commit's reply. True: it was refused or failed, and *step is the answer. False: it
 * succeeded; *outcome is its word, for a repeated request "<word> <kept>" of the first time.
 */
bool write_ended(struct work *work, const char **outcome, enum work_step *step);

/* What the script says beside that word, the first time and later. */
const char *write_said(const struct work *work, const char *outcome);

/* Starts the jobs that a commit has ordered, at [3] and [4] of its reply. */
void write_start_jobs(const struct work *work);

/* After the commit of a put or a removal: starts its jobs, and answers with the result. `put` is
 * the ref of what was put, or NULL. */
enum work_step write_answer(struct work *work, const char *put);

/* The step after the answer to a write. */
work_fn write_replied;
