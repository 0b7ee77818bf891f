#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/model/model.h"

/* reads - what a process says of a value and of what it has read (process.h). */

struct read {
    char *ref, *what; /* as in value.lua */
};

struct reads {
    struct read *at;
    size_t count;
};

void reads_deinit(struct reads *reads);

/* Reads the answer: its value, canonical, is added to `value`. False: it is none, and `problem`
 * says why. */
bool reads_take(struct reads *reads, const struct model *model, struct json_span answer,
                struct text *value, struct text *problem);
