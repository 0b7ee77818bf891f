#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/json_patch_oracle.h"

/* libFuzzer: ./fuzz_json_patch [CORPUS_FOLDER] [-max_total_time=60]. A document, a NUL, and a
 * patch; see json_patch_oracle.h for what is held against what. */

static const struct json_limits limits = {.depth = 32, .number_chars = 100};

static void expect_nothing(const char *complaint)
{
    if (complaint) {
        fprintf(stderr, "%s\n", complaint);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *document = (const char *)data;
    const char *end = document + size, *between = size > 0 ? memchr(document, '\0', size) : NULL;
    struct json_span value, patch;

    if (!between || json_check(document, (size_t)(between - document), &limits, NULL) ||
        json_check(between + 1, (size_t)(end - between - 1), &limits, NULL))
        return 0;
    value = json_value(document, (size_t)(between - document));
    patch = json_value(between + 1, (size_t)(end - between - 1));
    expect_nothing(json_patch_oracle_apply(value, patch));
    expect_nothing(json_patch_oracle_diff(value, patch));
    return 0;
}
