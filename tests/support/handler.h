#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/work.h"
#include "common/base/text.h"

/*
 * handler - the handlers of the sync agent without servers: a request goes in, the call that it
 * would make is looked at, a reply of Redis (fake_reply.h) is put in its place, and the answer
 * comes out. Defines work_spawn(), work_again() and work_begin(), in place of the worker's.
 */

extern struct agent agent; /* whose settings tests may change */
extern struct work work;
extern size_t spawned; /* works that were started beside this one */
extern size_t begun;   /* requests that were carried out after they were kept */

/* Requests that are carried out again: "<operation> <who asked> <messageId> <reply_to> <told>
 * <body>\n" of each. */
extern struct text repeated;

/* The agent serves the model of this file. */
void handler_set_up(const char *model);
void handler_tear_down(void);

/* What the plan says to a request of the client "c1", which waits on "gateway.1". */
enum work_step ask(const char *operation, work_fn *plan, const char *body);

/* The same, for a frame of a client of the content protocol; its id is "m1" too. */
enum work_step ask_content(const char *operation, work_fn *plan, const char *frame);

/* The work that was started last takes the place of the one that started it. */
enum work_step begin_spawned(void);

/* The body of the only message that goes out. */
const char *answer(void);

/* The same, which follows from this reply: a list of strings that ends with NULL. */
const char *answer_to(const char *const *strings);

/* What went out is with the broker. */
void forget_answer(void);

/* The arguments of the call, each followed by "|"; the caller frees them. */
char *all_args(void);

/* Is it among the arguments of the call? */
bool has_arg(const char *arg);
