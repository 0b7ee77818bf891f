#pragma once

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * sql_pool - the connections of one database: at most as many as declared, made when they are
 * needed and used again, the last one first.
 *
 * Threads: every function but sql_pool_create() and sql_pool_destroy() may be called from any.
 */

struct sql_database;
struct sql_link;
struct sql_pool;

/* `database` is borrowed for the pool's life. */
struct sql_pool *sql_pool_create(const struct sql_database *database);

/* All links have been given back. NULL is allowed. */
void sql_pool_destroy(struct sql_pool *pool);

/* Lends a link; waits for one while all are lent. ERR_FULL: all were, until the deadline; or what
 * sql_link_open() returns. */
_must_check_ enum err sql_pool_take(struct sql_pool *pool, int64_t deadline_ms,
                                    struct sql_link **out);

/* Takes a link back; one that is of no more use is closed. */
void sql_pool_give_back(struct sql_pool *pool, struct sql_link *link);
