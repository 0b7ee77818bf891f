#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agents/runtime/work.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * version - [identity, number] of the content protocol: which state of which history.
 *
 * The identity of content is "<birth>-<digest>": when the object was born (store, object_state()),
 * so that what is made anew is another one, and what the model says of its content, since the same
 * object reads otherwise by another model. Whoever may not see all of its fields reads it
 * otherwise, too: then what is hidden adds another "-<digest>", the view (rights.lua). The number
 * is the object's version.
 */

#define VERSION_DIGEST_CHARS 8

/* As a request gives it. */
struct version {
    bool given;                /* neither null nor absent */
    struct json_span identity; /* a string or an integer */
    int64_t number;            /* 0: no number that a version can have */
};

/* The member `ver` of a request's `data`. False: it is none, and *step is the answer (400). */
bool version_read(struct work *work, struct json_span data, struct version *out,
                  enum work_step *step);

/* Is it this one? */
bool version_is(const struct version *v, const char *identity, int64_t number);

/* Adds identity and number as arguments; "" and 0 for what is none of ours: no version, an identity
 * that is no string, or a long one. */
void version_add_args(struct redis_call *call, const struct version *v);

/* Adds ["<identity>",<number>]. */
void version_add(struct text *out, const char *identity, int64_t number);

/* Adds the identity of the content of an object of this class; `born` is "<birth><view>", as
 * scripts say it. */
void version_add_identity(struct text *out, const struct model_class *c, const char *born);

/* Adds only "-<digest>", with which all these identities end but for the view. */
void version_add_suffix(struct text *out, const struct model_class *c);
