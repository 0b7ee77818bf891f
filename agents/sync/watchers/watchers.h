#pragma once

#include "agents/runtime/work.h"

/*
 * watchers - values that are derived from objects and kept up to date for whoever watches them
 * (spec 3.7, 9; model_watch.h says what they are made of).
 *
 * A value is known by its item, "~<class>:<id>\t<name>\t<params>"; where it is made of what not
 * everybody may read (model_watcher.personal) each session has one of its own, which ends in
 * "\t<session>". It is stored like an object (store/value.lua): it has a version, sessions watch
 * it, have a mark of it (kind w) until they acknowledge, are told again, and hear of it when they
 * return, by the same fan-outs, looks and receipts as of objects.
 *
 *   getChangeWatcher (change_watcher.c) makes the session watch the value and answers with it.
 *     What is not stored yet is computed by whoever asks.
 *   A commit notes what it has changed of objects on which values depend (lua/watcher.lua), and
 *     orders a job that touches these values (touch.c): each is due, at the earliest a while
 *     (sync.watch_window_ms) after it was computed last.
 *   What is due is computed anew (recompute.c), by the worker that has touched it or by whoever
 *     finds it: begin, read (walk.c), settle. A value that nobody watches any more is dropped
 *     instead, step by step.
 *   Who settles (compute.c) stores the value, with a new version and a fan-out if it is another
 *     one.
 *
 * What may meet what:
 *
 * - A write while a value is computed. Whatever a computation reads it registers in the same step
 *   of Redis. So a write comes before that step and was seen, or behind it and touches the value;
 *   the value that is settled may be neither the old nor the new one then, but it is computed
 *   again.
 * - Two computations of one value, since two sessions ask first, or a lease was over. Each has a
 *   number; what an earlier one settles after a later one is dropped, and so is what it had read.
 * - Death. A value that is due, or computed, stays in the list of due values until it is settled,
 *   and is found there when the lease is over. A job that touches goes on where its last step
 *   ended. A question comes again from the broker.
 * - A dependency that is left behind, since a computation was dropped or has read something else
 *   than the one before: it is older than the settled one, and whoever finds it takes it away.
 * - The end of a session, or its last word: it ceases to watch, and a value that nobody watches is
 *   due to be dropped. Who begins to watch it again meanwhile makes it anew.
 * - The object goes: its value is null, which is told once more; then nobody watches it any more.
 *   The mark stays until it is acknowledged.
 * - A reply that is overtaken by a push of something newer: see overtaken.h.
 * - Rights. Who may not read the object is told nothing of its values, and that is looked at in
 *   every send; who loses it is told once that there is no value any more. What lies behind the
 * object is read with the rights of the session, and depends on the fields that say who may read
 * it.
 *
 * A value that names another watcher is made of what that one is made of: it depends on the same
 * fields, and is computed with it in one go, so there is nothing to wait for. A value that a
 * process says (process.h) cannot be named so.
 */

/* answered.c: what a process says of a value (processes/calls.h); absent: it has failed. Borrowed.
 */
void watchers_answered(const struct work *work, const char *watcher, struct json_span answer);

/* touch.c: begins the job that a commit has ordered. */
void watchers_touch_start(const struct work *work, const char *job);

/* recompute.c: computes a value that is due, or drops it if nobody watches it. */
void watchers_recompute_start(const struct work *work, const char *item);
