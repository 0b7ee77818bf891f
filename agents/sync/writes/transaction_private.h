#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/sync/writes/transaction.h"
#include "common/base/text.h"
#include "common/model/model.h"

/* What the parts of processTransaction share: transaction_read.c reads the request, transaction.c
 * does what it asks for. */

struct save {
    struct model_object object;
    struct text place; /* in the request, for refusals: "objectsToSave[2] (com.app.mo.Task:5)" */
    bool exists;
    size_t given;       /* of a new one: the values that were asked for stand first */
    bool added;         /* the server has set more than what was asked for */
    const char *unmade; /* a new one that cannot be: the outcome; else NULL */
    struct text why;    /* that */
};

struct to_remove {
    const struct model_class *class_;
    char *id;
    struct text place;
};

/* The state of the work, which owns all of it. */
struct transaction {
    struct save *saves;
    size_t save_count;
    struct to_remove *removals;
    size_t removal_count;
    int64_t time;   /* of the puts, ms */
    unsigned tries; /* so far */
};

/* Are the members of the request what they have to be, and not too many? False: *step is the
 * answer. */
bool transaction_check(struct work *work, enum work_step *step);

/* Reads the objects, in place of those that were read before. False: *step is the answer. */
bool transaction_read(struct work *work, struct transaction *t, enum work_step *step);

/* Says where number `i` of the saves stands, by the class and the id that it has now. */
void transaction_place(struct save *save, size_t i);

/* Frees the objects. */
void transaction_forget(struct transaction *t);
