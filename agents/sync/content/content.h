#pragma once

#include <stdbool.h>

#include "agents/runtime/work.h"
#include "common/json/json_scan.h"
#include "common/model/model.h"

/*
 * content - what the operations of the content protocol have in common: reading `data`, and the
 * answers that lead nowhere.
 *
 * Functions that return a bool: false says that the request is refused, and *step is the answer.
 */

/* The document that a request names. */
struct content_key {
    const struct model_class *class_;
    char *id; /* as the store has it; owned */
};
void content_key_deinit(struct content_key *key);

/* `data` must be an object. */
bool content_data(struct work *work, struct json_span *data, enum work_step *step);

/* The member `key` of `data`: 400 if it is no key at all, 404 if no document can have it. */
bool content_read_key(struct work *work, struct json_span data, struct content_key *key,
                      enum work_step *step);

/* A boolean member that may be left out: then *out stays as it is. */
bool content_read_flag(struct work *work, struct json_span data, const char *name, bool *out,
                       enum work_step *step);

/* Answers 400: "Format Error: data.patch: expected an array, found null". */
enum work_step content_expected(struct work *work, const char *path, const char *expected,
                                struct json_span found);

/*
 * Looks at the reply of a script that reads one document: has Redis failed, is the client unknown,
 * is there no such document, may it not be read, or nothing more be watched?
 */
bool content_found(struct work *work, enum work_step *step);
