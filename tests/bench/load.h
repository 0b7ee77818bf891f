#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/secret.h"
#include "common/base/text.h"
#include "tests/bench/measure.h"

/*
 * load - keeps a number of requests in flight, whatever carries them.
 *
 * Each request in flight has a slot; when it is answered, the next one goes out in the same slot,
 * which takes several requests in turn. A request is a text in which
 *
 *   @ID@    stands for its id, which begins with the slot, and which no other request ever has,
 *   @LAST@  for the id of the slot's request before it,
 *   @SLOT@  for the slot,
 *   @123@   for a random number below 123.
 *
 * An answer has to contain an expected text, or the program ends.
 */

/* The arguments of every program that makes load, in this order. */
#define LOAD_ARGUMENTS "DEPTH SECONDS EXPECTED REQUEST"
#define LOAD_ARGC      4

struct load_slot {
    int64_t asked_us;
    uint64_t number; /* of its last request; 0: none yet */
    unsigned next;   /* of the requests */
};

struct load {
    struct measure measure;
    const char *expected;
    char **requests;
    unsigned request_count, depth;
    struct load_slot *slots;
    uint64_t number; /* of the last request */
    char run[SECRET_ID_CHARS + 1];
};

/* `arguments` as in LOAD_ARGUMENTS, with so many requests; borrowed. The clock starts. */
void load_init(struct load *load, char **arguments, unsigned request_count);
void load_deinit(struct load *load);

/* Writes the next request of a slot and its id; it counts as sent now. */
void load_ask(struct load *load, unsigned slot, struct text *id, struct text *request);

/* The answer to the request with this id (a text that goes on after the id is fine). Returns the
 * slot, which is free now. */
unsigned load_answer(struct load *load, const char *id, const char *body, size_t size);

/* An argument that is a number from 1 on. */
unsigned load_number(const char *argument);
