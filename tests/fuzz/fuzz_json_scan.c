#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/json_oracle.h"

/* libFuzzer: ./fuzz_json_scan [CORPUS_FOLDER] [-max_total_time=60]; see json_oracle.h for what is
 * compared. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *disagreement = json_oracle_disagreement((const char *)data, size);

    if (disagreement) {
        fprintf(stderr, "%s\n", disagreement);
        abort();
    }
    return 0;
}
