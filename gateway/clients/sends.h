#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * sends - what one socket was sent of which object, and has not had a push receipt for.
 *
 * Agents number what they send: whoever has heard of an object under a number knows all that was
 * written of it before that number was drawn. A receipt names an object but no number, so it stands
 * for the oldest send that has none yet. What it proves is a number that the client has for sure,
 * after everything that it may still have to read: sends with the number that came last are
 * counted exactly, those before it are all taken for the lowest number among them. So a receipt may
 * prove too little, which a redelivery makes good, but never too much; and when nothing is
 * unanswered any more, the last send has been proved.
 *
 * A lower number that goes out after a higher one, be it of the other kind, takes back what
 * receipts for the higher one would have proved: it is what the client believes in the end.
 *
 * What of an object has a name of its own (owed.h) is an object here.
 *
 * Objects are known by a hash that nobody outside can predict (secret_table_hash()).
 *
 * Threads:   belongs to the socket thread.
 * Ownership: a table is made by the first send and freed with the last receipt: NULL is empty.
 */

struct sends;

enum sends_kind { SENDS_UPDATE, SENDS_DELETE };

/* The key of an object, "<class>:<id>", and a kind. */
uint64_t sends_key(enum sends_kind kind, const char *ref, size_t size);

/* It was sent under this number. */
void sends_add(struct sends **s, uint64_t key, int64_t number);

/* A receipt: takes the oldest send and says in *number what that proves. False: there is none. */
bool sends_take(struct sends **s, uint64_t key, int64_t *number);

/* How many of its sends have no receipt. */
size_t sends_unanswered(const struct sends *s, uint64_t key);

/* Of how many objects, each kind for itself, there are such sends. */
size_t sends_count(const struct sends *s);

void sends_destroy(struct sends *s);
