#pragma once

#include <stdint.h>

#include "agents/sync/connectors/sql_link.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * sql_result - what a statement gives becomes a call's result, row by row, so that only the result
 * is held in memory.
 *
 *   rows            an array of objects by the names of the columns
 *   parameters out  an object by their names, {} without any; null if there was no row
 *   neither         what a function returns: the value of its only column, or an object
 */

struct sql_procedure;

struct sql_result {
    const struct sql_procedure *procedure;
    struct text body;    /* JSON */
    struct text problem; /* why it cannot be told, for the client */
    int64_t rows;        /* private */
};

/* `arg` is the struct. ERR_RANGE: beyond what is declared; ERR_TYPE: not what is declared. */
enum err sql_result_add(void *arg, const struct sql_row *row);

/* After the last row. ERR_MALFORMED: there are texts that are not UTF-8, or JSON that is not strict
 * or too deep. */
_must_check_ enum err sql_result_end(struct sql_result *result);

void sql_result_deinit(struct sql_result *result);
