#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/json/json_scan.h"

/*
 * json_members - the members of objects without regard to their order: which differ?
 *
 * Works on canonical texts (json_add_canonical()): there, equal names are equal bytes. Of several
 * members with one name the last counts, as for json_member().
 *
 * Ownership: spans are borrowed from the texts; a struct owns its list until its deinit.
 */

struct json_pair {
    struct json_span key, value; /* the key keeps its quotes and escapes */
};

/* Each name once, in ascending order of the names' bytes. */
struct json_members {
    struct json_pair *at;
    size_t count;
};

void json_members_init(struct json_members *m, struct json_span object);
void json_members_deinit(struct json_members *m);

/*
 * Walks the members in which two objects differ, for instance before and after a patch:
 *
 *     _cleanup_(json_changes_deinit) struct json_changes c;
 *     json_changes_init(&c, before, after);
 *     while (json_changes_next(&c)) use(c.key, c.before, c.after);
 *
 * `before` is absent for a new member, `after` for a removed one. Values are the same if their
 * texts are: 1 and 1.0 differ here, for whoever stores texts.
 */
struct json_changes {
    struct json_span key, before, after;
    struct json_members old, new; /* private, as what follows */
    size_t old_at, new_at;
};

void json_changes_init(struct json_changes *c, struct json_span before, struct json_span after);
bool json_changes_next(struct json_changes *c);
void json_changes_deinit(struct json_changes *c);

bool json_same_text(struct json_span a, struct json_span b);
