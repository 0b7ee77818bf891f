#pragma once

#include "agents/runtime/work.h"
#include "agents/sync/operator/survey.h"

/*
 * jobs - durable work in Redis that any sync agent can continue (design sections 8, 9).
 *
 * A job is begun by the worker whose commit ordered it, and claimed by any other when its lease is
 * over. Each *_start() spawns the work beside the one that is given; all strings are copied.
 */

/* start.c: begins what a script that writes has ordered: a list of fan-outs and, behind "~", of
 * jobs that touch watched values, behind "^" of those that go back along paths of rules; and a
 * cascade or "". */
void jobs_start(const struct work *work, const struct redis_reply *jobs,
                const struct redis_reply *cascade);

/* fan_out.c: tells the watching sessions of a change. */
void job_fan_out_start(const struct work *work, const char *job);
/* The same for a job that another worker has left: from the last step that was complete. */
void job_fan_out_resume(const struct work *work, const char *job);

/* cascade.c: removes what required a removed object, clears what referred to it, and sets the lists
 * that this or another write has left. */
void job_cascade_start(const struct work *work, const char *job);

/* migrate.c: brings the objects to the agent's own model, which must be the job's. */
void job_migrate_start(const struct work *work, const char *job);
/* Does it go through the objects of this class of the new model, and of its descendants? */
bool migrate_is_walked(const struct survey *survey, const struct model_class *c);

/* review_paths.c: has the objects looked at anew of which a change elsewhere may decide who reads
 * them. */
void job_review_paths_start(const struct work *work, const char *job);

/* review_roles.c: tells the sessions of a user whose roles have changed what they gain and lose. */
void job_review_roles_start(const struct work *work, const char *job);

/* end_session.c: removes what an ended session owns. */
void job_end_session_start(const struct work *work, const char *job, const char *session);

/* forget_user.c: removes what belonged to a user whose account was deleted, and the user. */
void job_forget_user_start(const struct work *work, const char *job);

/* gateway_gone.c: unbinds the sessions of a gateway that is gone. */
void job_gateway_gone_start(const struct work *work, const char *job);

/* After WORK_PUBLISH: the queues to which messages came back are gone, and so may their gateways
 * be. */
void gateways_lost(const struct work *work);

/* redeliver.c: sends again what a session has not acknowledged in time. */
void redeliver_start(const struct work *work, const char *session);

/* arguments.c: adds arguments that several scripts need: the timing of redelivery; the list of
 * class, column of what is stored and no part of the content; for how long sessions of each
 * protocol may be without a binding; for how long one that has ended is known. */
void jobs_add_timing(struct work *work);
void jobs_add_unseen(struct work *work);
void jobs_add_idle(struct work *work);
void jobs_add_known(struct work *work);
