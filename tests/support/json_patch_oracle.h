#pragma once

#include "common/json/json_scan.h"

/*
 * json_patch_oracle - holds json_patch, json_diff and json_equal against each other, for the fuzzer
 * and the random tests. All texts must be accepted by json_check().
 */

/* Writes the value with the members of objects in the order of their names, each name once. Two
 * values are exactly the same, but for the order of members, if these texts are. */
void json_patch_oracle_ordered(struct json_span value, struct text *out);

/*
 * NULL if the patch from `before` to `after` does what it promises, else what it does not: applied
 * to `before` it gives `after`, number texts included; json_equal() says so too; it fits into its
 * own size and not into a byte less; the texts are as before where it does not fit.
 */
const char *json_patch_oracle_diff(struct json_span before, struct json_span after);

/* NULL if applying whatever `patch` is to `document` keeps the promises of json_patch.h and then
 * json_patch_oracle_diff() has nothing to say about document and result. */
const char *json_patch_oracle_apply(struct json_span document, struct json_span patch);
