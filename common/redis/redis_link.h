#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * redis_link - one connection to Redis on which batches of calls are pipelined.
 *
 * The only module that includes hiredis.h. A call is a script with its arguments, or a plain
 * command. redis_link_run() sends a batch in one go, collects all replies in order, loads scripts
 * that Redis does not know (any more), and reconnects with backoff.
 *
 * Where Redis is: at the URL, or, given sentinels, where one of them says that the primary is now;
 *          they are asked anew for each connection. Whatever is no primary is left again.
 * Replicas: with `wait_replicas`, a batch counts only when so many replicas have all that it has
 *          written or seen. If they do not have it in time, the batch ends as if Redis were away.
 *
 * Threads: a link belongs to one thread; it blocks that thread until all replies are there or the
 *          timeout has passed.
 * Once or twice: after ERR_AWAY nobody knows which calls were carried out; every script of ours may
 *          be run again.
 * Order: the calls of a batch are carried out in their order, except that a script that Redis had
 *          forgotten runs after the others. What depends on another call belongs into its script.
 * SIGPIPE must be ignored (common/process/proc.h does): hiredis writes without MSG_NOSIGNAL.
 */

struct redis_link;
struct redis_reply;

/* A Lua script; known by its address, so it is static. */
struct redis_script {
    const char *name;
    const char *text;
};

/* One call: the script (NULL: a plain command, whose name is the first argument) and arguments.
 * Scripts get no KEYS, only ARGV: keys are computed inside, see README "On one Redis". */
struct redis_call {
    const struct redis_script *script;
    struct text args; /* argument bytes, one after the other */
    size_t *ends;     /* where each argument ends */
    size_t count, room;
    struct redis_reply *reply; /* of the last run; owned by the call */
};

void redis_call_begin(struct redis_call *call, const struct redis_script *script);
void redis_call_arg(struct redis_call *call, const char *str);
void redis_call_arg_bytes(struct redis_call *call, const void *bytes, size_t size);
void redis_call_arg_i64(struct redis_call *call, int64_t value);
void redis_call_deinit(struct redis_call *call);

struct redis_config {
    const char *url; /* redis://[[user]:password@]host[:port][/db], in which %XX may be used, or
                        unix:///path; with sentinels its host and port mean nothing */
    const char *sentinels;         /* host:port,host:port; NULL or "": none */
    const char *sentinel_name;     /* what they call the primary */
    const char *sentinel_password; /* NULL or "": none */
    int64_t timeout_ms;            /* for connecting and for each reply */
    int64_t wait_replicas;         /* 0: replies count at once */
    int64_t wait_ms;               /* how long they have; shorter than timeout_ms */
};

/* Adds a line for each mistake. ERR_CONFIG, ERR_NOMEM. */
_must_check_ enum err redis_config_check(const struct redis_config *config, struct text *problems);

/* The texts are copied. ERR_CONFIG, ERR_NOMEM. Does not connect yet. */
_must_check_ enum err redis_link_create(const struct redis_config *config, const char *client_name,
                                        struct redis_link **out);
void redis_link_destroy(struct redis_link *link);

/*
 * Runs a batch. ERR_OK: each call has a reply, which may be an error reply. ERR_AWAY: no reply was
 * stored; the caller tries again later (at once is allowed: the link waits out its backoff by
 * answering ERR_AWAY without trying).
 */
_must_check_ enum err redis_link_run(struct redis_link *link, struct redis_call *const *calls,
                                     size_t count);

/* ---- Replies: borrowed from the call, valid until it is run again or ended. A NULL reply or one
 *      of another kind reads as empty, so a handler needs no ladder of checks. ---- */

bool redis_is_error(const struct redis_reply *r);
bool redis_is_nil(const struct redis_reply *r);
const char *redis_str(const struct redis_reply *r); /* "" when it is none; NUL-terminated */
size_t redis_size(const struct redis_reply *r);     /* bytes of a string */
int64_t redis_i64(const struct redis_reply *r);     /* integer, or a string that is one; else 0 */
size_t redis_count(const struct redis_reply *r);    /* items of an array */
const struct redis_reply *redis_item(const struct redis_reply *r, size_t i); /* NULL beyond */

DEFINE_CLEANUP(struct redis_link *, redis_link_destroy)
