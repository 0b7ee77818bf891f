#pragma once

#include "agents/sync/stored.h"
#include "common/model/model_watch.h"

/*
 * rows - the answer of a query while it grows: the first ones in the query's order, no more than
 * its limit. Objects come in the order of their ids.
 */

struct row {
    struct text json;
    const char **keys; /* texts of the order's terms, NULL where there is none; one block */
    size_t number;     /* of what came before it */
};

struct rows {
    const struct model *model;
    const struct model_query *query;
    struct row *items;
    size_t count, room;
    size_t bytes;      /* of all JSON texts */
    size_t most_bytes; /* of an answer */
    size_t added;
    bool are_complete; /* what comes now cannot change the answer any more */
};

void rows_begin(struct rows *rows, const struct model *model, const struct model_query *query,
                size_t most_bytes);

/* An object for which the conditions hold. */
void rows_add(struct rows *rows, struct stored_ref ref, const struct redis_reply *fields);

/* Nothing comes any more: puts the rows in order. Then adds them, with commas between. */
void rows_end(struct rows *rows);
void rows_add_all(struct text *out, const struct rows *rows);

void rows_deinit(struct rows *rows);
