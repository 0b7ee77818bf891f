#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agents/runtime/work.h"
#include "common/model/model.h"

/*
 * overtaken - "nothing older last" (design section 8). Agents and gateways overtake each other:
 * what a worker has said may reach a client after something newer. So once the broker has taken a
 * message, the worker looks whether what it said of each object is still the newest; if it is not,
 * the sessions' marks become due at once.
 *
 * One object to one session, which is what replies are about, costs a plain HGET, unless not
 * everyone may read the object:
 *
 *     return overtaken_reply(work, &body, ref, version, sid);
 *
 * For a push, the step that has read its reply builds the look in work->call and publishes:
 *
 *     overtaken_begin(&work->call, model, 1);
 *     overtaken_told(&work->call, ref, version, true);
 *     overtaken_sessions(&work->call, 1, 0);
 *     redis_call_arg(&work->call, sid);
 *     return work_publish(work, pushed);   and in pushed(): return work_call(work, ...);
 */

/* Publishes the reply, looks, and is done. Takes over work->state; all is copied. */
enum work_step overtaken_reply(struct work *work, const struct text *body, const char *ref,
                               int64_t version, const char *sid);

/* The same for the reply to a put, which makes nobody watch: only a session that watches the object
 * is told again. It holds its own values for the newest from the reply on. */
enum work_step overtaken_reply_to_put(struct work *work, const struct text *body, const char *ref,
                                      int64_t version, const char *sid);

/* The same for a reply to the saving of `count` objects, by the session that the call's reply
 * names: `saved` begins with a line for each (stored_next_line()). */
enum work_step overtaken_reply_to_saves(struct work *work, const struct text *body,
                                        const char *saved, size_t count);

/* What the client may have been told: of a request that came before, to a worker that died when it
 * had answered and not looked yet, nobody knows; 0 is older than everything. */
int64_t overtaken_version(const struct work *work, int64_t version);

/* Of how many objects or values the message spoke, and of each whether it said what there is, or
 * that the session has lost it (design section 12). */
void overtaken_begin(struct redis_call *call, const struct model *model, size_t objects);
void overtaken_told(struct redis_call *call, const char *ref, int64_t version, bool has_it);

/* To how many sessions it went, and how many were told instead that they have lost it all; their
 * ids follow as plain arguments. */
void overtaken_sessions(struct redis_call *call, size_t sessions, size_t losers);
