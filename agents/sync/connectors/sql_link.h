#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * sql_link - one connection to a PostgreSQL; the only one to include libpq-fe.h.
 *
 * Nothing here waits longer than until the deadline that it is given (of clock_mono_ms()), however
 * the server behaves; only a host's name is looked up at the system's own pace, so an address or a
 * folder of a socket serves better. A link that has failed in any way but ERR_REFUSED is of no more
 * use.
 *
 * Threads: a link is used by one thread at a time.
 */

struct sql_link;
struct sql_database;

/* What the server said of a statement that it refused. */
struct sql_refusal {
    char state[6];       /* SQLSTATE, "22012" */
    struct text message; /* the primary one, UTF-8, at most some hundred characters: no detail, no
                            hint, no context, which may hold values of others */
};

void sql_refusal_deinit(struct sql_refusal *refusal);

/* One row that arrives. */
struct sql_row {
    size_t count;       /* columns */
    const void *result; /* private */
};

const char *sql_row_name(const struct sql_row *row, size_t column);
uint32_t sql_row_type(const struct sql_row *row, size_t column);          /* for sql_column_of() */
struct json_span sql_row_value(const struct sql_row *row, size_t column); /* absent: null */

/* Anything but ERR_OK ends the statement with that. */
typedef enum err sql_row_fn(void *arg, const struct sql_row *row);

struct sql_statement {
    const char *sql;
    const char *const *values; /* of $1 to $<count>, as texts; NULL: null */
    size_t count;
    sql_row_fn *row; /* NULL: rows are of no interest */
    void *arg;
};

/* NULL, or what is wrong with the URL of a database, in words for whoever declared it. */
const char *sql_link_url_fault(const char *url);

/* Connects. ERR_AWAY: it cannot be reached, or refuses us; ERR_TIMEOUT; ERR_CONFIG: the password
 * cannot be read. The reason is in the log. The caller owns *out. */
_must_check_ enum err sql_link_open(const struct sql_database *database, int64_t deadline_ms,
                                    struct sql_link **out);

/* NULL is allowed. What the link had begun is rolled back by the server. */
void sql_link_close(struct sql_link *link);

/* Is it connected, outside of any transaction, and has nothing to say? A server that went away
 * properly is noticed here. */
bool sql_link_is_usable(struct sql_link *link);

/* Runs one statement, or without values also several. ERR_REFUSED: the server did, *refusal says
 * why; ERR_AWAY: the connection was lost; ERR_TIMEOUT; what the function for rows returned. */
_must_check_ enum err sql_link_run(struct sql_link *link, const struct sql_statement *statement,
                                   int64_t deadline_ms, struct sql_refusal *refusal);
