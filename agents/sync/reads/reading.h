#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agents/runtime/work.h"
#include "agents/sync/stored.h"

/*
 * reading - an answer made of many objects: gathered over as many calls as it takes, so that no
 * step holds Redis for long, then published, then looked at for something newer.
 *
 * It is the first member of the state of an operation that reads (work->state), so that the steps
 * here find it.
 */

#define READING_PER_CALL 250 /* objects */

struct reading {
    struct text objects; /* the items of the answer's list */
    size_t count;
    char sid[32];
    struct text refs; /* what was told, NUL-terminated each */
    int64_t *versions;
    size_t looked; /* of these, what the look has gone through */
    const char *look_at;
};

void reading_deinit(struct reading *reading);

/*
 * Takes what a step of read.lua or read_all.lua has found. False: it failed, the client is unknown,
 * or the answer grows over sync.max_answer_bytes; then *step is the answer.
 */
bool reading_take(struct work *work, struct reading *reading, enum work_step *step);

/* Publishes the body, looks at everything that was told, and is done. */
enum work_step reading_reply(struct work *work, const struct text *body);

/* What a request for one object asks for: theClassName, and theClassId, which is the caller's to
 * free(). False: *step is the answer. */
bool reading_asked(struct work *work, const struct model_class **class_out, char **id_out,
                   enum work_step *step);

/* Begins a call with the arguments that every read has: who asks, and of what classes an object of
 * `c` may be (rights_add_restricted_of()). */
void reading_begin(struct work *work, const struct redis_script *script,
                   const struct model_class *c);

/* Begins a call of read.lua; `count` ids follow as arguments. */
void reading_begin_ids(struct work *work, const struct model_class *c, size_t count);
