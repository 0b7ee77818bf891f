#pragma once

#include <stdbool.h>

#include "common/base/text.h"
#include "common/json/json_scan.h"

/* What the parts of json_diff share: json_diff.c goes down into the values, json_diff_array.c
 * matches the items of arrays. */

struct json_diff {
    struct text *out;
    struct text path; /* the pointer to the values that are compared */
    size_t end;       /* how long *out may become */
};

/* Each writes operations for what stands at the path and returns false if they do not fit; then
 * some of them may have been written. */
bool json_diff_value(struct json_diff *d, struct json_span before, struct json_span after);
bool json_diff_arrays(struct json_diff *d, struct json_span before, struct json_span after);
bool json_diff_operation(struct json_diff *d, const char *name, struct json_span value);
