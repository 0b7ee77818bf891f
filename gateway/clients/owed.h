#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"
#include "gateway/clients/sends.h"

/*
 * owed - the push receipts that one client owes, and what each of them proves.
 *
 * Which numbers a thing was sent under is known to sends.h. Two kinds of things are acknowledged by
 * the same name: a receipt for updates names an object, and stands for an update of the object or
 * for a watched value of it, its item "~<class>:<id>\t<field>\t<parameters>". So while values of an
 * object are unanswered, the order of all that such receipts may stand for is kept: a receipt
 * stands for the oldest.
 *
 * That order is bounded, by OWED_RUNS turns from one thing to another of the same object. What was
 * sent before these is forgotten: its receipts prove nothing, and it is told again some time. Those
 * for what was sent later prove what they would have proved anyway. So a client that sends no
 * receipts is told everything and costs little, and never is too much proved.
 *
 * Threads:   belongs to the socket thread.
 * Ownership: whoever has a struct owed owns it; all zero is empty.
 */

#define OWED_RUNS 16

struct owed {
    struct sends *sends; /* NULL: it owes nothing */
    void *lines;         /* of objects with unanswered values: a tree of search.h */
};

/* One thing of which a push tells. */
struct owed_thing {
    uint64_t key;     /* what it is, among the sends */
    uint64_t object;  /* the key by which receipts for updates name it; 0: they do not */
    int64_t number;   /* of the send */
    struct text item; /* of a watched value its name; else empty */
};

/* An update or a delete of "<class>:<id>". */
struct owed_thing owed_object(enum sends_kind kind, const char *ref, size_t size);

/* A watched value, by its item, which is taken over on success. False: that is no item. */
bool owed_value(struct text *item, struct owed_thing *out);

/* It was sent. */
void owed_add(struct owed *o, const struct owed_thing *thing);

/* A receipt that names this object: takes the oldest thing that it may stand for, whose name takes
 * the place of the object's, and says in *number what that proves. False: it proves nothing. */
bool owed_take(struct owed *o, enum sends_kind kind, struct text *name, int64_t *number);

/* How many things would be unanswered if all of these were sent, too. */
size_t owed_count_with(const struct owed *o, const struct owed_thing *things, size_t count);

void owed_deinit(struct owed *o);
