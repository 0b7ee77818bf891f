#pragma once

#include "common/base/text.h"
#include "common/process/metrics.h"

/*
 * process_figures - what every program tells of itself: version, memory, processor, files.
 *
 * The names are those that Prometheus's own libraries have.
 */

extern const struct metrics_table process_figures;

/* Adds what the system says now, as metrics_print() does. Any thread. */
void process_figures_print(struct text *out);
