#pragma once

#include "common/json/json_patch.h"
#include "common/json/json_tree.h"

/*
 * What the parts of json_patch share: json_patch.c reads operations and runs them,
 * json_patch_place.c finds what a pointer names, and says what went wrong.
 */

struct operation;
struct patching;
typedef enum err verb_fn(struct patching *p, const struct operation *o);

struct verb {
    const char *name;
    bool needs_from, needs_value;
    verb_fn *run;
};

struct operation {
    const struct verb *verb;
    struct text path, from; /* pointers */
    struct json_span value;
};

struct patching {
    struct json_tree tree;
    const struct json_patch_limits *limits;
    size_t index;          /* of the operation that is at work */
    struct operation *now; /* that operation; its verb is NULL until it is known */
    struct text *problem;
};

/* A place among the entries of an array or object: one that is there, or the one behind the last.
 */
struct place {
    struct json_container *in;
    size_t index;
};

/* Begins the problem text with which operation it is; what follows says why. */
struct text *json_patch_blame(struct patching *p);

/* Writes the problem text and returns `e`. */
static inline enum err json_patch_fail(struct patching *p, enum err e, const char *why)
{
    text_add(json_patch_blame(p), why);
    return e;
}

/* The same with a pointer between two parts, for what does not apply: ERR_NOT_FOUND. */
enum err json_patch_fail_at(struct patching *p, const char *before, struct json_span pointer,
                            const char *behind);

/* The value that stands at `pointer`. */
_must_check_ enum err json_patch_find(struct patching *p, struct json_span pointer,
                                      struct json_node **out);

/* The place that `pointer`, which is not empty, names in a parent that is there; and its last
 * token, for whoever puts something there. */
_must_check_ enum err json_patch_find_place(struct patching *p, struct json_span pointer,
                                            struct text *key, struct place *out);
